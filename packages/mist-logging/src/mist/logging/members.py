"""The named members of an object."""

import dataclasses
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, TypeAlias

from msgspec import UNSET

NamedMembers: TypeAlias = Iterable[tuple[object, object]]


def members_of(value: object) -> NamedMembers | None:
    """Return what a Struct, dataclass, named tuple, attrs class or pydantic model consists of.

    So too of a namespace, such as argparse makes of a command line; None if it is something else.
    A Struct's fields have their encoded names.
    """
    kind = type(value)
    if issubclass(kind, type):
        return None
    if issubclass(kind, SimpleNamespace):
        return _of_namespace(value)
    for mark, members in _MARKS.items():
        if hasattr(kind, mark):
            return members(value)
    return None


def _of_dataclass(value: Any) -> NamedMembers:
    return [(each.name, getattr(value, each.name)) for each in dataclasses.fields(value)]


def _of_struct(struct: Any) -> NamedMembers:
    names = zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True)
    members = [(shown, getattr(struct, name)) for shown, name in names]
    return [each for each in members if each[1] is not UNSET]


def _of_attrs(value: Any) -> NamedMembers:
    return [(each.name, getattr(value, each.name)) for each in value.__attrs_attrs__]


def _of_namespace(value: object) -> NamedMembers:
    return [*vars(value).items()]


# What the classes of each kind have, and no others.
_MARKS: dict[str, Callable[[Any], NamedMembers]] = {
    "__dataclass_fields__": _of_dataclass,
    "__struct_fields__": _of_struct,
    "__attrs_attrs__": _of_attrs,
    "_asdict": lambda named_tuple: named_tuple._asdict().items(),
    "model_dump": lambda pydantic_model: pydantic_model.model_dump().items(),
    "_get_kwargs": _of_namespace,  # argparse.Namespace
}
