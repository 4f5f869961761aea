"""From payload bytes to a typed value, as lenient about absent fields as Go's decoder.

Go gives a field that is missing or null its zero value. A missing field is msgspec's own
business; null is handled here, on a second try, so that ordinary payloads do not pay for it.
"""

from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from mist.protocol.errors import ProtocolError

T = TypeVar("T")


def decode_payload(payload: msgspec.Raw, target: type[T]) -> T:
    """Return the payload as an instance of `target`.

    Raises:
        ProtocolError: It is not JSON, or does not fit; the text names the field's path.
    """
    try:
        return _decoder(target).decode(payload)
    except msgspec.ValidationError as exc:
        if b"null" in bytes(payload):
            try:
                plain: Any = msgspec.json.decode(payload)
                return msgspec.convert(_without_nulls(plain, inspect.type_info(target)), target)
            except (msgspec.ValidationError, TypeError):
                pass  # the first complaint speaks of the payload as it came
        raise ProtocolError(str(exc)) from exc
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise ProtocolError(explain_malformed(exc)) from exc


def explain_malformed(exc: Exception) -> str:
    """Return one line on why bytes were not JSON that can be read."""
    if isinstance(exc, RecursionError):
        return "JSON is nested too deeply"
    return str(exc)


@lru_cache(maxsize=256)
def _decoder(target: type[T]) -> "msgspec.json.Decoder[T]":
    return msgspec.json.Decoder(target)


def _without_nulls(value: Any, expected: inspect.Type) -> Any:
    """Leave out or replace each null that stands where `expected` has no place for one."""
    if isinstance(expected, inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in expected.fields}
        return {
            key: _without_nulls(item, fields[key]) if key in fields else item
            for key, item in value.items()
            if item is not None or key not in fields or _takes_null(fields[key])
        }
    if isinstance(expected, inspect.ListType) and isinstance(value, list):
        return [_zero_for_null(item, expected.item_type) for item in value]
    if isinstance(expected, inspect.DictType) and isinstance(value, dict):
        return {key: _zero_for_null(item, expected.value_type) for key, item in value.items()}
    return value


_ZEROS: dict[type[inspect.Type], Any] = {
    inspect.StrType: "",
    inspect.IntType: 0,
    inspect.FloatType: 0.0,
    inspect.BoolType: False,
    inspect.StructType: {},
    inspect.ListType: [],
    inspect.DictType: {},
}


def _zero_for_null(item: Any, expected: inspect.Type) -> Any:
    if item is None and not _takes_null(expected):
        return _ZEROS.get(type(expected))
    return _without_nulls(item, expected)


def _takes_null(expected: inspect.Type) -> bool:
    if isinstance(expected, inspect.UnionType):
        return expected.includes_none
    return isinstance(expected, (inspect.AnyType, inspect.NoneType))
