"""Null where the type has no place for it: the zero value, as Go's decoder gives it."""

from typing import Any, Final, TypeGuard

from msgspec import inspect

_WITH_FIELDS = (inspect.StructType, inspect.DataclassType, inspect.TypedDictType)
_LISTS = (inspect.ListType, inspect.VarTupleType)

_ZEROS: Final[dict[type[inspect.Type], Any]] = {
    inspect.StrType: "",
    inspect.IntType: 0,
    inspect.FloatType: 0.0,
    inspect.BoolType: False,
    inspect.StructType: {},
    inspect.DataclassType: {},
    inspect.TypedDictType: {},
    inspect.ListType: [],
    inspect.VarTupleType: [],
    inspect.DictType: {},
}


def fill_nulls(value: Any, target: Any) -> Any:
    """Return JSON values without the nulls that an instance of `target` cannot hold."""
    return _zero_for_null(value, inspect.type_info(target))


def _zero_for_null(item: Any, expected: inspect.Type) -> Any:
    if item is None and not _takes_null(expected):
        return _ZEROS.get(type(expected))
    return _without_nulls(item, expected)


def _without_nulls(value: Any, expected: inspect.Type) -> Any:
    """Leave out or replace each null that stands where `expected` has no place for one."""
    if isinstance(expected, inspect.UnionType):
        expected = _member_for(value, expected)
    if isinstance(expected, _WITH_FIELDS) and _is_object(value):
        fields = {field.encode_name: field.type for field in expected.fields}
        return {
            key: _without_nulls(item, fields[key]) if key in fields else item
            for key, item in value.items()
            if item is not None or key not in fields or _takes_null(fields[key])
        }
    if isinstance(expected, _LISTS) and _is_array(value):
        return [_zero_for_null(item, expected.item_type) for item in value]
    if isinstance(expected, inspect.DictType) and _is_object(value):
        return {key: _zero_for_null(item, expected.value_type) for key, item in value.items()}
    return value


def _member_for(value: Any, union: inspect.UnionType) -> inspect.Type:
    """Return the one member that an object or an array can be, else one that fits anything."""
    kinds = (*_WITH_FIELDS, inspect.DictType) if isinstance(value, dict) else _LISTS
    candidates = [member for member in union.types if isinstance(member, kinds)]
    return candidates[0] if len(candidates) == 1 else inspect.AnyType()


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _takes_null(expected: inspect.Type) -> bool:
    if isinstance(expected, inspect.UnionType):
        return expected.includes_none
    return isinstance(expected, (inspect.AnyType, inspect.NoneType, inspect.RawType))
