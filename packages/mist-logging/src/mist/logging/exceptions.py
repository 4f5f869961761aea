"""What a log line tells about an exception."""

import sys
import traceback
from collections.abc import Iterator
from itertools import islice
from typing import cast

_STACK = 16_384  # characters
_FRAMES = 200
_KEPT_FRAMES = 50
_RELATED = 256  # exceptions before another one and in it


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
    details = {"error_type": _type_name(exc)}
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


def _type_name(exc: BaseException) -> str:
    kind = type(exc)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def _stack(exc: BaseException) -> str:
    """Format the traceback with its causes, notes and groups, bounded in time and length."""
    deep = _is_deep(exc)
    limit = -_KEPT_FRAMES if deep else None
    try:
        if _is_one_of_many(exc):
            lines = _without_others(exc, limit)
        else:
            whole = traceback.TracebackException.from_exception(exc, limit=limit, compact=True)
            lines = whole.format()
        text = "".join(lines).rstrip("\n")
    except Exception as failure:  # noqa: BLE001  # a hostile exception must not cost the line
        return f"!ERROR: the traceback cannot be formatted: {type(failure).__name__}"
    if deep:
        text = f"(only the last {_KEPT_FRAMES} frames of a deep stack)\n{text}"
    return _shortened(text)


def _is_deep(exc: BaseException) -> bool:
    return sum(1 for _ in islice(traceback.walk_tb(exc.__traceback__), _FRAMES + 1)) > _FRAMES


def _is_one_of_many(exc: BaseException) -> bool:
    """Return whether more exceptions came before this one, or are in it, than can be shown."""
    seen: set[int] = set()
    pending = [exc]
    while pending and len(seen) <= _RELATED:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        earlier = each.__cause__
        if earlier is None and not each.__suppress_context__:
            earlier = each.__context__
        if earlier is not None:
            pending.append(earlier)
        if isinstance(each, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", each)
            pending.extend(group.exceptions[: _RELATED + 1])
    return len(seen) > _RELATED


def _without_others(exc: BaseException, limit: int | None) -> Iterator[str]:
    """Format an exception alone; of a group also the first that it holds."""
    yield f"(without most of the more than {_RELATED} exceptions before it and in it)\n"
    yield from _alone(exc, limit)
    first = exc
    for _ in range(_RELATED):
        if isinstance(first, BaseExceptionGroup):
            first = cast("BaseExceptionGroup[BaseException]", first).exceptions[0]
    if first is not exc:
        yield "\nThe first in it:\n"
        yield from _alone(first, limit)


def _alone(exc: BaseException, limit: int | None) -> Iterator[str]:
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(exc.__traceback__, limit)
    yield f"{_type_name(exc)}: {exception_text(exc)}\n"


def _shortened(text: str) -> str:
    """Cut the middle out: the beginning names the first cause, the end the exception itself."""
    if len(text) <= _STACK:
        return text
    start, end = _STACK // 4, _STACK * 3 // 4
    return f"{text[:start]}\n... {len(text) - _STACK} characters left out ...\n{text[-end:]}"
