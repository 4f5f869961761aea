"""Spans as payloads: plain values that any JSON encoder takes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mist.trace.span import Span

_DEEPEST = 16
_INT64 = 1 << 63


def to_payload(span: Span) -> dict[str, Any]:
    """Return a span in the shape of a `trace.span` payload; what is empty there is left out."""
    payload: dict[str, Any] = {"trace_id": span.trace_id, "span_id": span.span_id}
    if span.parent_id:
        payload["parent_id"] = span.parent_id
    payload["operation"] = plain(span.operation)
    payload["start_ns"] = span.start_ns
    payload["end_ns"] = span.end_ns
    payload["status"] = span.status
    if attrs := span.attrs():
        payload["attrs"] = plain(attrs)
    return payload


def plain(value: Any, depth: int = _DEEPEST) -> Any:  # noqa: PLR0911  # one for each kind
    """Return a value as JSON has it; what JSON has no form for, as text.

    That is also where numbers end that are not finite or do not fit 64 bits, and where nesting
    ends that is deeper than sixteen levels, or endless.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _unicode(str.__str__(value))
    if isinstance(value, int):
        return int(value) if -_INT64 <= value < _INT64 else hex(value)
    if isinstance(value, float):
        return float(value) if value - value == 0.0 else str(float(value))
    if depth > 0 and issubclass(type(value), dict):
        return {_key(key): plain(each, depth - 1) for key, each in value.items()}
    if depth > 0 and issubclass(type(value), (list, tuple, set, frozenset)):
        return [plain(each, depth - 1) for each in value]
    return _text(value)


def _key(key: object) -> str:
    return _unicode(str.__str__(key)) if isinstance(key, str) else _text(key)


def _text(value: object) -> str:
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        return "..."
    try:
        return _unicode(str(value))
    except Exception:  # noqa: BLE001  # the text is the application's code
        return f"<{type(value).__name__}>"


def _unicode(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
