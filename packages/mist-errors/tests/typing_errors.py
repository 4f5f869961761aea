"""What users write, checked by mypy and pyright and never run."""

from collections.abc import Mapping
from typing import Final, assert_type

from mist.errors import (
    PROBLEM_MEDIA_TYPE,
    Code,
    MistError,
    code_of,
    exit_code,
    http_status,
    is_retryable,
    wrap,
)

media_type: Final[str] = PROBLEM_MEDIA_TYPE


class Throttled(MistError):
    """A user's own."""


error = MistError(Code.RATE_LIMIT, "slow down", retry_after=2, meta={"route": "/infer"})
assert_type(error.code, str)
assert_type(error.retry_after, float | None)
assert_type(error.meta, Mapping[str, str])
assert_type(error.retryable, bool)
assert_type(error.to_dict(), dict[str, object])
assert_type(error.to_problem("urn:uuid:1"), dict[str, object])
assert_type(MistError.from_dict({"code": "acme"}), MistError)

# A copy is of its original's class.
throttled = Throttled("acme.throttled", "slow down")
assert_type(throttled.with_meta("route", "/infer"), Throttled)
assert_type(throttled.retriable(), Throttled)
assert_type(throttled.permanent(), Throttled)

# An error where there is a cause, and none where there is none.
assert_type(wrap(Code.TRANSPORT, OSError(), "cannot read"), MistError)
assert_type(wrap(Code.TRANSPORT, None, "cannot read"), None)

assert_type(code_of(KeyboardInterrupt()), str)
assert_type(is_retryable(None), bool)
assert_type(http_status(Code.AUTH), int)
assert_type(exit_code("acme.throttled"), int)

# Wrong programs do not type-check.
MistError(404, "the code is a string")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
MistError("acme", "meta is text", meta={"n": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
error.meta["route"] = "/other"  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
error.retryable = True  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
