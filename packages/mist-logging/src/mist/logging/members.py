"""The named members of an object."""

import dataclasses
from collections.abc import Iterable
from typing import Any, TypeAlias, cast

from msgspec import UNSET

NamedMembers: TypeAlias = Iterable[tuple[object, object]]


def members_of(value: object) -> NamedMembers | None:
    """Return what a Struct, dataclass, named tuple, attrs class or pydantic model consists of.

    None if it is something else. A Struct's fields have their encoded names.
    """
    kind: Any = type(value)
    if issubclass(kind, type):
        return None
    if dataclasses.is_dataclass(kind):
        return [(each.name, getattr(value, each.name)) for each in dataclasses.fields(kind)]
    if hasattr(kind, "__struct_fields__"):
        return _struct_members(value)
    if hasattr(kind, "__attrs_attrs__"):
        names = [cast("str", each.name) for each in kind.__attrs_attrs__]
        return [(name, getattr(value, name)) for name in names]
    for method in ("_asdict", "model_dump"):
        if hasattr(kind, method):
            return cast("dict[object, object]", getattr(value, method)()).items()
    return None


def _struct_members(struct: Any) -> NamedMembers:

    names = zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True)
    members = [(shown, getattr(struct, name)) for shown, name in names]
    return [each for each in members if each[1] is not UNSET]
