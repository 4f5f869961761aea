"""What users write, checked by mypy and pyright and never run."""

import io
import logging
import sys
from typing import assert_type

from structlog.typing import FilteringBoundLogger

import mist.logging
from mist.logging import DEBUG, ERROR, INFO, WARN, Capture, Level, Logger, LoggingError, bound, new

log = new("tool")
assert_type(log, Logger)
assert_type(new("tool", "warn", format="text", writer=sys.stdout, mask=["ssn"]), Logger)
assert_type(new("tool", 20, writer=io.BytesIO(), clock=lambda: 0), Logger)
assert_type(log.bind(a=1, msg=2, self=3), Logger)
assert_type(log.unbind("a"), Logger)
assert_type(log.level, Level)
assert_type(log.dropped, int)
assert_type(log.stdlib(), logging.Logger)
assert_type(log.structlog(), FilteringBoundLogger)
assert_type([DEBUG, INFO, WARN, ERROR], list[Level])


def write(name: str) -> None:
    """Write lines."""
    log.info("msg", level=1, event=2, self=3, anything=object())
    log.log(WARN, "msg")
    log.log("warn", "msg")
    log.exception(ValueError("as a message"))  # noqa: LOG004  # never run
    log.set_level("debug")
    with bound(request=name), log.capture_stdlib(level=WARN, warnings=False) as capture:
        assert_type(capture, Capture)
        capture.remove()
    assert_type(LoggingError("x").code, str)


log.info(msg="by name")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # it has none
new("tool", format="xml")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
new("tool", writer="path")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
nothing = mist.logging.nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
