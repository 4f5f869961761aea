"""From a Python value to payload bytes that survive every relay.

Two things are ours to see to, since msgspec does neither. A relay through mist-go re-encodes
the payload and escapes five characters; we escape them from the start, so the checksum holds.
And msgspec writes NaN as null, a set as an array and an integer of any size: each of these
would arrive as something else than was sent, so they are refused.
"""

from collections.abc import Iterable, Set
from enum import Enum
from typing import Any

import msgspec
from msgspec import Raw, StructMeta
from msgspec.structs import astuple, replace

from mist.protocol.errors import ProtocolError
from mist.protocol.faults import INT_MAX, INT_MIN, UNENCODABLE, children, find_fault

_LT, _GT, _AMP = b"<>&"
# U+2028 and U+2029 in UTF-8, which differ in the last byte only.
_LINE_SEPARATOR, _PARAGRAPH_SEPARATOR = b"\xe2\x80\xa8", b"\xe2\x80\xa9"

_encode = msgspec.json.Encoder().encode


def encode_payload(payload: Any) -> bytes:
    """Return compact JSON that a re-encoding peer leaves as it is.

    Args:
        payload: JSON values, msgspec Structs, dataclasses, and what else msgspec has a JSON form
            for: enums by value; datetime, date, time, timedelta in ISO 8601; UUID and Decimal
            as strings; bytes in Base64. Keys that are numbers or dates become strings.
            A `msgspec.Raw` is JSON already: its values are kept to the letter, its white space
            is not.

    Raises:
        ProtocolError: A value has no faithful JSON form; the text names its path.
    """
    kind: type[Any] = type(payload)  # pyright: ignore[reportUnknownVariableType]  # free-form
    try:
        if kind is dict:
            faithful = _are_faithful(payload.values())
        elif kind is list or kind is tuple:
            faithful = _are_faithful(payload)
        elif type(kind) is StructMeta:
            if getattr(payload, "NIL_SLICES", ()):
                payload = _with_nil_slices(payload)
            faithful = _are_faithful(astuple(payload))
        else:
            faithful = _is_faithful(payload)
        encoded = _encode(payload) if faithful else _encode_slowly(payload)
    except ProtocolError:
        raise
    except UNENCODABLE as exc:
        raise ProtocolError(f"cannot encode payload: {find_fault(payload) or exc}") from exc
    if _LT in encoded or _GT in encoded or _AMP in encoded or not encoded.isascii():
        return _escape(encoded)
    return encoded


def _are_faithful(items: Iterable[Any]) -> bool:  # noqa: PLR0911, PLR0912  # flat, to be fast
    """Tell, at a glance, that whatever msgspec writes for these values says the same.

    False asks for a closer look. A value that msgspec refuses is not judged here.
    """
    # Most values are scalars: judging them here, by the cheapest test, saves a call for each.
    for item in items:
        kind: type[Any] = type(item)  # pyright: ignore[reportUnknownVariableType]  # free-form
        if kind is str:
            pass
        elif kind is int:
            if item >> 63 and not INT_MIN <= item <= INT_MAX:
                return False
        elif kind is float:
            if item - item:  # NaN, and so true, of NaN and of both infinities
                return False
        elif kind is bool or item is None:
            pass
        elif kind is dict:
            if not _are_faithful(item.values()):
                return False
        elif kind is list or kind is tuple:
            if not _are_faithful(item):
                return False
        elif type(kind) is StructMeta:
            if not _are_faithful(astuple(item)):
                return False
        elif not _is_faithful(item):
            return False
    return True


def _is_faithful(value: Any) -> bool:
    if isinstance(value, Enum):
        return _are_faithful((value.value,))
    if isinstance(value, int):
        return INT_MIN <= value <= INT_MAX
    if isinstance(value, float):
        return value - value == 0.0
    if isinstance(value, (Set, Raw)):
        return False
    inside = children(value)
    return inside is None or _are_faithful(item for _, item in inside)


def _encode_slowly(payload: Any) -> bytes:
    """Encode what the glance did not let through, or refuse it by name."""
    fault = find_fault(payload)
    if fault:
        raise ProtocolError(f"cannot encode payload: {fault}")
    # What else stops the glance is ready-made JSON, which may be spaced in any way.
    return msgspec.json.format(_encode(payload), indent=-1)


def _with_nil_slices(payload: Any) -> Any:
    """Put None in place of each empty list that Go would hold as a nil slice."""
    empty = {name: None for name in payload.NIL_SLICES if not getattr(payload, name)}
    return replace(payload, **empty) if empty else payload


def _escape(encoded: bytes) -> bytes:
    # In JSON text these occur inside strings only, so replacing bytes is safe.
    return (
        encoded.replace(b"<", b"\\u003c")
        .replace(b">", b"\\u003e")
        .replace(b"&", b"\\u0026")
        .replace(_LINE_SEPARATOR, b"\\u2028")
        .replace(_PARAGRAPH_SEPARATOR, b"\\u2029")
    )
