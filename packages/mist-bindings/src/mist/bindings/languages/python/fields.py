"""How Python declares, reads and writes the fields of a record."""

import json
from collections.abc import Mapping
from typing import Any

from mist.bindings.model import (
    INT64_MAX,
    INT64_MIN,
    Anything,
    Boolean,
    Choice,
    Field,
    Integer,
    List,
    Map,
    Nullable,
    Number,
    Reference,
    Text,
    Type,
)


def annotation(kind: Type) -> str:  # noqa: PLR0911  # one line a kind
    """Return what a type is called."""
    match kind:
        case Text():
            return "str"
        case Integer():
            return "int"
        case Number():
            return "float"
        case Boolean():
            return "bool"
        case Anything():
            return "Any"
        case Choice():
            return f"Literal[{', '.join(literal(value) for value in kind.values)}]"
        case List():
            return f"List[{annotation(kind.item)}]"
        case Map():
            return f"Dict[str, {annotation(kind.value)}]"
        case Reference():
            return kind.record
        case Nullable():
            return f"Optional[{annotation(kind.inner)}]"


def default_of(field: Field) -> str:
    """Return what follows a field's annotation in its class."""
    if field.required:
        return ""
    default: Any = field.default
    if type(default) not in (list, dict):
        return f" = {literal(default)}"
    empty = type(default).__name__
    made = f'lambda: {_reader(field.type)}({literal(default)}, "$")'
    factory = made if default or _is_record(field.type) else empty
    return f" = dataclasses.field(default_factory={factory})"


def read(field: Field) -> tuple[str, str]:
    """Return the expression of a field's reader, and the arguments it is called with."""
    key, takes_null = literal(field.wire), isinstance(field.type, Anything | Nullable)
    reader = _reader(field.type)
    if field.required:
        value = f"_present(members, {key}, path, null={takes_null})"
    elif takes_null:
        default = f", {literal(field.default)}" if field.default is not None else ""
        value = f"members.get({key}{default})"
    elif _has_limits(field.type):
        value, reader = f"members.get({key})", f"_or_absent({literal(field.default)}, {reader})"
    elif field.default == _zero(field.type):
        value = f"members.get({key})"
    else:
        value = f"_or(members.get({key}), {literal(field.default)})"
    place = _quoted("." + field.wire)[1:-1].replace("{", "{{").replace("}", "}}")
    return reader, f'{value}, f"{{path}}{place}"'


def written(field: Field) -> str:
    """Return the expression of a field's JSON value."""
    value = f"self.{field.name}"
    return f"_plain({value})" if _has_record(field.type) else value


def literal(value: Any) -> str:
    """Return a Python literal, its strings in the quotes that formatters choose."""
    if isinstance(value, str):
        quoted = _quoted(value)
        if value.count('"') <= value.count("'"):
            return quoted
        return "'" + quoted[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # free-form
        return f"[{', '.join(literal(item) for item in items)}]"
    if isinstance(value, dict):
        members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # free-form
        return f"{{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in members.items())}}}"
    return repr(value).replace("e+", "e") if isinstance(value, float) else repr(value)


def tuple_of(items: tuple[str, ...]) -> str:
    """Return a literal tuple of strings."""
    inside = ", ".join(literal(item) for item in items)
    return f"({inside},)" if len(items) == 1 else f"({inside})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # its escapes are Python's too


def _reader(kind: Type) -> str:  # noqa: PLR0911  # one line a kind
    """Return the expression of the function that reads such a value."""
    match kind:
        case Text(min_length=None, max_length=None, pattern=None):
            return "_string"
        case Text():
            return f"_text({kind.min_length or 0}, {kind.max_length}, {literal(kind.pattern)})"
        case Integer(minimum=low, maximum=high):
            whole = (low, high) == (INT64_MIN, INT64_MAX)
            return "_int64" if whole else f"_integer({low}, {high})"
        case Number(minimum=None, maximum=None):
            return "_number()"
        case Number():
            return f"_number({literal(kind.minimum)}, {literal(kind.maximum)})"
        case Boolean():
            return "_boolean"
        case Anything():
            return "_anything"
        case Choice():
            return f"_choice({', '.join(literal(value) for value in kind.values)})"
        case List():
            return f"_list({_reader(kind.item)})"
        case Map():
            return f"_map({_reader(kind.value)})"
        case Reference():
            return f"{kind.record}.from_json"
        case Nullable():
            return f"_nullable({_reader(kind.inner)})"


def _zero(kind: Type) -> Any:
    """Return what a reader makes of null; of a choice it makes nothing, so nothing equals it."""
    zeros: Mapping[type[Any], Any] = {
        Text: "", Integer: 0, Number: 0.0, Boolean: False, List: [], Map: {}, Reference: {}
    }  # fmt: skip
    return zeros.get(type(kind), ...)


def _has_limits(kind: Type) -> bool:
    match kind:
        case Text():
            return kind != Text(kind.format)
        case Integer() | Number():
            return kind not in (Integer(), Number())
        case _:
            return False


def _is_record(kind: Type) -> bool:
    return isinstance(kind.inner if isinstance(kind, Nullable) else kind, Reference)


def _has_record(kind: Type) -> bool:
    match kind:
        case Reference() | Anything():
            return True
        case List():
            return _has_record(kind.item)
        case Map():
            return _has_record(kind.value)
        case Nullable():
            return _has_record(kind.inner)
        case _:
            return False
