"""What a span records of the exception that ended it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The standard codes of the MIST stack.
_CODES = frozenset(
    (
        "internal",
        "timeout",
        "cancelled",
        "transport",
        "protocol",
        "validation",
        "not_found",
        "unavailable",
        "rate_limit",
        "auth",
        "conflict",
    )
)
# By name: asyncio, concurrent.futures and trio each have their own, and none need be loaded.
_CANCELLATIONS = frozenset(("CancelledError", "Cancelled", "KeyboardInterrupt"))
_LONGEST_TEXT = 4096


def is_failure(exc: BaseException) -> bool:
    """Tell whether leaving by this exception means that the operation failed.

    Closing a generator is no failure, and neither is an exit with success.
    """
    if isinstance(exc, SystemExit):
        return exc.code not in (None, 0)
    return not isinstance(exc, GeneratorExit)


def describe(exc: BaseException) -> Mapping[str, str]:
    """Return the attributes `error` (the text), `error_type` and `code` of an exception."""
    kind = type(exc)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    return {"error": _text(exc), "error_type": name, "code": _code(exc)}


def _text(exc: BaseException) -> str:
    try:
        return str(exc)[:_LONGEST_TEXT]
    except Exception:  # noqa: BLE001  # the text is the application's code
        return "(its text cannot be had)"


def _code(exc: BaseException) -> str:
    try:
        code: object = getattr(exc, "code", None)
    except Exception:  # noqa: BLE001  # a property may fail: it is the application's code, too
        code = None
    if isinstance(code, str) and code in _CODES:
        return str(code)
    if any(kind.__name__ in _CANCELLATIONS for kind in type(exc).__mro__):
        return "cancelled"
    if isinstance(exc, TimeoutError):
        return "timeout"
    return "transport" if isinstance(exc, ConnectionError) else "internal"
