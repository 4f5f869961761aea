"""From a Python value to payload bytes that survive every relay.

Two things are ours to see to, since msgspec does neither. A relay through mist-go re-encodes
the payload and escapes five characters; we escape them from the start, so the checksum holds.
And msgspec writes NaN as null, a set as an array and an integer of any size: each of these
would arrive as something else than was sent, so they are refused.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Set
from enum import Enum
from typing import Any, Final, cast

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import astuple, replace

from mist.protocol.errors import ProtocolError
from mist.protocol.faults import find_fault

INT_MIN: Final = -(1 << 63)
INT_MAX: Final = (1 << 64) - 1

_LT, _GT, _AMP = b"<>&"
# U+2028 and U+2029 in UTF-8, which differ in the last byte only.
_LINE_SEPARATOR, _PARAGRAPH_SEPARATOR = b"\xe2\x80\xa8", b"\xe2\x80\xa9"

_encode = msgspec.json.Encoder().encode
_check_syntax = msgspec.json.Decoder(Raw).decode


def encode_payload(payload: Any) -> bytes:
    """Return compact JSON that a re-encoding peer leaves as it is.

    Args:
        payload: JSON values, msgspec Structs, dataclasses, and what else msgspec writes without
            loss (datetimes, UUIDs, enums, ...). A `msgspec.Raw` is JSON already and is kept.

    Raises:
        ProtocolError: A value has no faithful JSON form; the text names its path.
    """
    kind = type(payload)
    try:
        if kind is not dict and kind is not list:
            if kind is Raw:
                _check_syntax(payload)
                return bytes(payload)
            payload = _with_nil_slices(payload)
        if not _is_faithful(payload):
            raise ProtocolError(f"cannot encode payload: {find_fault(payload)}")
        encoded = _encode(payload)
    except ProtocolError:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as exc:
        raise ProtocolError(f"cannot encode payload: {find_fault(payload) or exc}") from exc
    if _LT in encoded or _GT in encoded or _AMP in encoded or not encoded.isascii():
        return _escape(encoded)
    return encoded


def _is_faithful(value: Any) -> bool:
    """Tell whether msgspec writes this value, if it can write it at all, without loss."""
    kind: type[Any] = type(value)
    if kind is dict:
        items: Iterable[Any] = value.values()
    elif kind is list or kind is tuple:
        items = value
    elif issubclass(kind, Struct):
        items = astuple(value)
    else:
        return _is_faithful_leaf(value)
    # Most values are scalars: judging them here, by the cheapest test, saves a call for each.
    for item in items:
        kind = type(item)
        if kind is str:
            pass
        elif kind is int:
            if item >> 63 and not INT_MIN <= item <= INT_MAX:
                return False
        elif kind is float:
            if item - item != 0.0:  # true of NaN and of both infinities
                return False
        elif kind is not bool and item is not None and not _is_faithful(item):
            return False
    return True


def _is_faithful_leaf(value: Any) -> bool:
    if isinstance(value, Enum):
        return _is_faithful(value.value)
    if isinstance(value, int):
        return INT_MIN <= value <= INT_MAX
    if isinstance(value, float):
        return value - value == 0.0
    if isinstance(value, Set):
        return False
    if isinstance(value, Mapping):
        return all(map(_is_faithful, cast("Mapping[Any, Any]", value).values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_faithful, cast("list[Any]", value)))
    if dataclasses.is_dataclass(value):
        return all(_is_faithful(getattr(value, f.name)) for f in dataclasses.fields(value))
    return True


def _with_nil_slices(payload: Any) -> Any:
    """Put None in place of each empty list that Go would hold as a nil slice."""
    names: tuple[str, ...] = getattr(payload, "NIL_SLICES", ())
    if not names:
        return payload
    empty = {name: None for name in names if not getattr(payload, name)}
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
