"""How a logger comes to be."""

import time
from collections.abc import Callable, Iterable
from typing import Literal

from mist.logging.errors import LoggingError
from mist.logging.level import INFO, Level, level_of

TYPE_CHECKING = False  # structlog and what it loads would be all that importing this package costs
if TYPE_CHECKING:
    from mist.logging.form import Form
    from mist.logging.logger import Logger
    from mist.logging.sink import Writer


def new(
    tool: str,
    level: Level | int | str = INFO,
    *,
    format: Literal["json", "text"] = "json",  # noqa: A002  # the contract's name
    writer: "Writer | None" = None,
    mask: Iterable[str] = (),
    clock: Callable[[], int] = time.time_ns,
) -> "Logger":
    """Return a logger.

    Args:
        tool: Who logs; the field `tool` of each line.
        level: The least level that is written: `DEBUG`, `INFO`, `WARN`, `ERROR` or its name.
        format: `json` or `text`: lines as Go's slog writes them with its handler of that name.
        writer: Takes the lines, as text or as bytes; if None, `sys.stderr` as it is at each line.
        mask: Names of fields to mask beside the usual ones, such as `password` and `api_key`.
        clock: Returns nanoseconds since 1970, UTC.

    Raises:
        LoggingError: if one of these is not what it must be.
    """
    from mist.logging.logger import Logger  # noqa: PLC0415  # loads structlog
    from mist.logging.secrets import Secrets  # noqa: PLC0415  # as above
    from mist.logging.sink import Sink  # noqa: PLC0415  # as above
    from mist.logging.stream import Stream  # noqa: PLC0415  # as above
    from mist.logging.structlog_logger import PROCESSORS  # noqa: PLC0415  # as above
    from mist.logging.timestamp import Timestamps  # noqa: PLC0415  # as above

    if not isinstance(tool, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise LoggingError(f"a tool's name is text, not {tool!r}")
    stream = Stream(
        tool,
        level_of(level),
        form=_form(format),
        sink=Sink(writer),
        times=Timestamps(clock),
        secrets=Secrets(mask),
    )
    return Logger(stream, PROCESSORS, {})


def _form(name: str) -> "Form":
    if name == "json":
        from mist.logging.json_line import JSONForm  # noqa: PLC0415  # as above

        return JSONForm()
    if name == "text":
        from mist.logging.text_line import TextForm  # noqa: PLC0415  # as above

        return TextForm()
    raise LoggingError(f"unknown log format {name!r}: choose json or text")
