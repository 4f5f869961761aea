"""Teach griffe that a msgspec Struct's fields are the parameters of its constructor.

griffe knows this of dataclasses by itself. For a Struct it would see attributes only, and miss that
a new field without a default, or a moved one, breaks every call.
"""

from collections.abc import Iterator
from typing import Any

import griffe

_STRUCT = "msgspec.Struct"


class Structs(griffe.Extension):
    """Give every Struct that writes no `__init__` the one msgspec makes."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Visit all classes of a package that has been loaded."""
        for each in _classes(pkg):
            if "__init__" not in each.members and _is_struct(each):
                each.set_member("__init__", _constructor(each))


def _classes(within: griffe.Module | griffe.Class) -> Iterator[griffe.Class]:
    # Loading a module again finds its classes loaded: a copy, because members are added meanwhile.
    for member in list(within.members.values()):
        if isinstance(member, griffe.Class):
            yield member
        if isinstance(member, griffe.Class | griffe.Module):
            yield from _classes(member)


def _lineage(of: griffe.Class) -> list[griffe.Class]:
    """List a class and its known parents, the most distant first."""
    try:
        return [*reversed(of.mro()), of]
    except ValueError:  # griffe's word for bases that cannot be put in an order
        return [of]


def _is_struct(of: griffe.Class) -> bool:
    bases = [base for each in _lineage(of) for base in each.bases]
    return any(isinstance(base, griffe.Expr) and base.canonical_path == _STRUCT for base in bases)


def _constructor(of: griffe.Class) -> griffe.Function:
    positional: dict[str, griffe.Parameter] = {}
    keyword: dict[str, griffe.Parameter] = {}
    for each in _lineage(of):
        kw_only = str(each.keywords.get("kw_only")) == "True"
        kind = griffe.ParameterKind.keyword_only if kw_only else _EITHER
        for field in _fields(each):
            made = griffe.Parameter(
                field.name, annotation=field.annotation, kind=kind, default=_default(field)
            )
            chosen, other = (keyword, positional) if kw_only else (positional, keyword)
            other.pop(field.name, None)
            chosen[field.name] = made
    this = griffe.Parameter("self", kind=_EITHER)
    parameters = griffe.Parameters(this, *positional.values(), *keyword.values())
    return griffe.Function("__init__", parameters=parameters, returns="None", parent=of)


def _fields(of: griffe.Class) -> Iterator[griffe.Attribute]:
    for member in of.members.values():
        if not isinstance(member, griffe.Attribute) or member.annotation is None:
            continue
        is_field = "instance-attribute" in member.labels or "class-attribute" not in member.labels
        if is_field and "property" not in member.labels:
            yield member


def _default(field: griffe.Attribute) -> griffe.Expr | str | None:
    """Give a field's default; `field(name=...)` without one leaves it required."""
    value = field.value
    if isinstance(value, griffe.ExprCall) and value.function.canonical_path == "msgspec.field":
        given = {a.name: a.value for a in value.arguments if isinstance(a, griffe.ExprKeyword)}
        return given.get("default", given.get("default_factory"))
    return value


_EITHER = griffe.ParameterKind.positional_or_keyword
