"""What a log line tells about an exception."""

import sys
import traceback
from itertools import islice
from typing import cast

_STACK = 16_384  # characters
_FRAMES = 200
_KEPT_FRAMES = 50
_CHAIN = 32


def exception_text(exc: BaseException) -> str:
    """Return the exception's text, or its type's name if it has none or cannot tell it."""
    try:
        return str(exc) or type(exc).__name__
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001  # whatever it raises, the line must come out
        return f"{type(exc).__name__} (its text raised {type(failure).__name__})"


def exception_of(exc_info: object) -> BaseException | None:
    """Return the exception that an `exc_info` argument means, in any form `logging` takes.

    Raises:
        TypeError: if it is none of these forms.
    """
    if exc_info is True:
        return sys.exc_info()[1]
    exc: object = exc_info
    if isinstance(exc_info, tuple):
        parts = cast("tuple[object, ...]", exc_info)
        exc = parts[1] if len(parts) == len(sys.exc_info()) else parts
    if exc is None or exc is False:
        return None
    if isinstance(exc, BaseException):
        return exc
    raise TypeError("not an exc_info")


def exception_details(exc: BaseException) -> dict[str, str]:
    """Return `error_type`, `code` if it has one, and `stack` if it was raised."""
    kind = type(exc)
    name = kind.__qualname__
    details = {"error_type": name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"}
    code = _code(exc)
    if code is not None:
        details["code"] = code
    if exc.__traceback__ is not None or exc.__cause__ is not None:
        details["stack"] = _stack(exc)
    return details


def _code(exc: BaseException) -> str | None:
    try:
        code = getattr(exc, "code", None)
    except Exception:  # noqa: BLE001  # a property may raise anything
        return None
    return code if isinstance(code, str) else None


def _stack(exc: BaseException) -> str:
    """Format the traceback with its causes, notes and groups, bounded in time and length."""
    frames = _length_of_traceback(exc)
    chained = _length_of_chain(exc)
    try:
        lines = traceback.TracebackException.from_exception(
            exc, limit=-_KEPT_FRAMES if frames > _FRAMES else None, compact=True
        ).format(chain=chained <= _CHAIN)
        text = "".join(lines).rstrip("\n")
    except Exception as failure:  # noqa: BLE001  # a hostile exception must not cost the line
        return f"!ERROR: the traceback cannot be formatted: {type(failure).__name__}"
    if frames > _FRAMES:
        text = f"(only the last {_KEPT_FRAMES} frames of a deep stack)\n{text}"
    if chained > _CHAIN:
        text = f"(without the more than {_CHAIN} exceptions before it)\n{text}"
    return _shortened(text)


def _length_of_traceback(exc: BaseException) -> int:
    return sum(1 for _ in islice(traceback.walk_tb(exc.__traceback__), _FRAMES + 1))


def _length_of_chain(exc: BaseException) -> int:
    length, earlier = 0, exc.__cause__ or exc.__context__
    while earlier is not None and length <= _CHAIN:
        length, earlier = length + 1, earlier.__cause__ or earlier.__context__
    return length


def _shortened(text: str) -> str:
    """Cut the middle out: the beginning names the first cause, the end the exception itself."""
    if len(text) <= _STACK:
        return text
    start, end = _STACK // 4, _STACK * 3 // 4
    return f"{text[:start]}\n... {len(text) - _STACK} characters left out ...\n{text[-end:]}"
