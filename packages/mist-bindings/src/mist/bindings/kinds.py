"""From msgspec's view of a Python type to the model's view of the JSON."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import inspect

from mist.bindings.errors import BindingsError
from mist.bindings.model import (
    INT64_MAX,
    INT64_MIN,
    Anything,
    Boolean,
    Choice,
    Integer,
    List,
    Map,
    Nullable,
    Number,
    Reference,
    Text,
    Type,
)

_FORMATS: Final[dict[type[inspect.Type], str]] = {
    inspect.BytesType: "base64",
    inspect.DateTimeType: "date-time",
    inspect.DateType: "date",
    inspect.TimeType: "time",
    inspect.TimeDeltaType: "duration",
    inspect.UUIDType: "uuid",
    inspect.DecimalType: "decimal",
}


class Kinds:
    """Translates types; the records that they refer to are someone else's business."""

    def __init__(self, reference: Callable[[inspect.Type, str], str]) -> None:
        """Make a translator.

        Args:
            reference: Returns the record's name of a class with fields, given the place of
                its use.
        """
        self._reference = reference

    def of(self, info: inspect.Type, place: str) -> Type:  # noqa: PLR0911, PLR0912  # a table
        """Return the model's type.

        Raises:
            BindingsError: It has no counterpart in the clients; the text begins with `place`.
        """
        match info:
            case inspect.Metadata():
                return self.of(info.type, place)
            case inspect.AnyType() | inspect.RawType():
                return Anything()
            case inspect.BoolType():
                return Boolean()
            case inspect.IntType():
                return _integer(info, place)
            case inspect.FloatType():
                return _number(info, place)
            case inspect.StrType():
                return Text("", info.min_length, info.max_length, info.pattern)
            case inspect.EnumType():
                return _choice(tuple(member.value for member in info.cls), place)
            case inspect.LiteralType():
                return _choice(info.values, place)
            case inspect.ListType() | inspect.VarTupleType():
                _refuse(info, place, "min_length", "max_length")
                return List(self.of(info.item_type, f"{place}[...]"))
            case inspect.DictType() if isinstance(info.key_type, inspect.StrType):
                _refuse(info, place, "min_length", "max_length")
                return Map(self.of(info.value_type, f"{place}[...]"))
            case inspect.StructType() | inspect.DataclassType() | inspect.TypedDictType():
                return Reference(self._reference(info, place))
            case inspect.UnionType():
                return self._union(info, place)
            case _ if type(info) in _FORMATS:
                return Text(_FORMATS[type(info)])
            case _:
                raise _no_counterpart(place, type(info).__name__.removesuffix("Type"))

    def _union(self, info: inspect.UnionType, place: str) -> Type:
        members = [each for each in info.types if not isinstance(each, inspect.NoneType)]
        if all(isinstance(each, inspect.IntType | inspect.FloatType) for each in members):
            members = [each for each in members if isinstance(each, inspect.FloatType)] or members
        if len(members) != 1:
            names = ", ".join(type(each).__name__.removesuffix("Type") for each in members)
            raise _no_counterpart(place, f"a union of {names}")
        inner = self.of(members[0], place)
        return Nullable(inner) if info.includes_none else inner


def _choice(values: tuple[Any, ...], place: str) -> Choice:
    plain = [value for value in values if type(value) in (str, int)]
    if len(plain) != len(values):
        raise _no_counterpart(place, "a choice that is not among strings or whole numbers")
    return Choice(tuple(plain))


def _integer(info: inspect.IntType, place: str) -> Integer:
    _refuse(info, place, "multiple_of")
    above = INT64_MIN if info.gt is None else info.gt + 1
    below = INT64_MAX if info.lt is None else info.lt - 1
    return Integer(
        above if info.ge is None else max(above, info.ge),
        below if info.le is None else min(below, info.le),
    )


def _number(info: inspect.FloatType, place: str) -> Number:
    _refuse(info, place, "gt", "lt", "multiple_of")
    return Number(info.ge, info.le)


def _refuse(info: Any, place: str, *constraints: str) -> None:
    for name in constraints:
        if getattr(info, name, None) is not None:
            raise BindingsError(f"{place}: clients do not check {name}; leave it to the receiver")


def _no_counterpart(place: str, what: str) -> BindingsError:
    return BindingsError(
        f"{place}: {what} has no counterpart in every language; declare the field as `Any`,"
        " or split it into several fields"
    )
