"""Python values in terms of JSON's own types."""

import base64
import dataclasses
import datetime as dt
import enum
import json
import numbers
import os
import sys
import types
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any


def plain(value: object) -> object:
    """Return `value` one step nearer to JSON's types; members are left as they are.

    Raises:
        TypeError: if the value has no such form.
    """
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    record = record_of(value)
    if record is None:
        name = type(value).__qualname__
        raise TypeError(
            f"no JSON form for {name}: make it a dataclass or give it a to_dict() method"
        )
    return record


def record_of(value: object) -> dict[object, object] | None:
    """Return the named members of a mapping, dataclass, Struct or object, or None if it has none.

    An object counts if it has a `to_dict()` method, is a named tuple, or holds public attributes.
    """
    if isinstance(value, type | types.ModuleType | types.FunctionType | enum.Enum):
        return None
    named = getattr(value, "to_dict", None) or getattr(value, "_asdict", None)
    members: object = value
    if callable(named):
        members = named()
    elif dataclasses.is_dataclass(value):
        members = {it.name: getattr(value, it.name) for it in dataclasses.fields(value)}
    elif hasattr(value, "__struct_fields__"):
        members = _struct_members(value)
    elif not isinstance(value, Mapping):
        attributes = getattr(value, "__dict__", {})
        members = {name: it for name, it in attributes.items() if not name.startswith("_")} or None
    return dict(members) if isinstance(members, Mapping) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # members are anything


def _struct_members(struct: object) -> object:
    """Return a msgspec Struct as msgspec encodes it: renamed, tagged, unset fields left out."""
    # Whoever made the Struct has imported msgspec, so this package need not depend on it.
    msgspec = sys.modules["msgspec"]

    def unsupported(member: Any) -> object:
        return json.loads(bytes(member)) if isinstance(member, msgspec.Raw) else plain(member)

    return msgspec.to_builtins(struct, enc_hook=unsupported, str_keys=True)


def _timestamp(moment: dt.datetime) -> str:
    # RFC 3339 and mist-go write UTC as Z.
    text = moment.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _refuse_set(_: object) -> object:
    raise TypeError("a set has no order: pass sorted(...) or list(...)")


_Kinds = type | tuple[type, ...]
# The first that fits applies.
_CONVERSIONS: tuple[tuple[_Kinds, Callable[[Any], object]], ...] = (
    (enum.Enum, lambda member: member.value),
    (dt.datetime, _timestamp),
    ((dt.date, dt.time), lambda moment: moment.isoformat()),
    (dt.timedelta, dt.timedelta.total_seconds),
    (os.PathLike, os.fsdecode),
    ((uuid.UUID, Decimal), str),
    ((bytes, bytearray, memoryview), _base64),
    # numpy registers its scalars with these two classes.
    (numbers.Integral, int),
    (numbers.Real, float),
    ((Sequence, deque), list),
    ((set, frozenset), _refuse_set),
)
