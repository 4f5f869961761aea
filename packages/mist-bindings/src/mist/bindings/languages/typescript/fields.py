"""How TypeScript declares, reads and writes the fields of a record."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from mist.bindings.errors import BindingsError
from mist.bindings.languages.typescript.patterns import javascript_pattern
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
    Record,
    Reference,
    Text,
    Type,
    takes_zero,
)

IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_SAFE: Final = (1 << 53) - 1
_ESCAPES: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}

Records: TypeAlias = Mapping[str, Record]


def member(field: Field, *, whole: bool) -> str:
    """Return a field's declaration in an interface.

    Args:
        field: The field.
        whole: Whether the record is one in which every field stands, and free-form JSON as text.
    """
    declared = "string" if whole and isinstance(field.type, Anything) else _type(field.type, field)
    if field.omitted_at_default and not whole:
        return f"{_key(field.wire)}?: {declared} | undefined"
    return f"{_key(field.wire)}: {declared}"


def doc_of(field: Field) -> str:
    """Return what a field means, and what it is where it is absent."""
    if field.omitted_at_default and field.default not in ("", 0, None, [], {}):
        return f"{field.doc} Absent: {_written(field.default)}.".strip()
    return field.doc


def descriptor(field: Field, records: Records, *, whole: bool) -> str:
    """Return the expression that tells the runtime how a field is read and written.

    Args:
        field: The field.
        records: All records by their names: a default may be one.
        whole: As for `member`.

    Raises:
        BindingsError: A pattern would mean something else in JavaScript.
    """
    kind = "f.raw" if whole and isinstance(field.type, Anything) else _kind(field.type, field)
    options: list[str] = []
    if field.required:
        options.append("required: true")
    elif not _is_zero(field.default, field.type):
        options.append(f"fallback: {_literal(field.default, field.type, field, records)}")
    if field.omitted_at_default and not whole:
        options.append(f"omitted: {json.dumps(_encoded(field.default))}")
    if field.null_when_empty:
        options.append("nullWhenEmpty: true")
    more = f", {{ {', '.join(options)} }}" if options else ""
    return f"r.field({json.dumps(field.wire)}, {kind}{more})"


def _type(kind: Type, field: Field) -> str:  # noqa: PLR0911  # one line a kind
    match kind:
        case Text():
            return "string"
        case Integer():
            return {"f.bigint": "bigint", "f.integer": "number"}.get(
                _integer(kind, field), "f.Int64"
            )
        case Number():
            return "number"
        case Boolean():
            return "boolean"
        case Anything():
            return "JsonValue"
        case Choice(values):
            return " | ".join(_constant(value) for value in values)
        case List(item):
            inner = _type(item, field)
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case Map(value):
            return f"Record<string, {_type(value, field)}>"
        case Reference(record):
            return record
        case Nullable(inner):
            return f"{_type(inner, field)} | null"


def _kind(kind: Type, field: Field) -> str:  # noqa: PLR0911  # one line a kind
    match kind:
        case Text():
            return f"f.text({_text_limits(kind, field)})"
        case Integer():
            function = _integer(kind, field)
            free = function != "f.integer" and (kind.minimum, kind.maximum) == (
                INT64_MIN,
                INT64_MAX,
            )
            return f"{function}({'' if free else f'{kind.minimum}n, {kind.maximum}n'})"
        case Number():
            bounds = {"minimum": kind.minimum, "maximum": kind.maximum}
            given = ", ".join(f"{k}: {_written(v)}" for k, v in bounds.items() if v is not None)
            return f"f.number({f'{{ {given} }}' if given else ''})"
        case Boolean():
            return "f.boolean"
        case Anything():
            return "f.json"
        case Choice(values):
            return f"f.choice({', '.join(_constant(value) for value in values)})"
        case List(item):
            return f"f.list({_kind(item, field)})"
        case Map(value):
            return f"f.map({_kind(value, field)})"
        case Reference(record):
            return f"r.record(() => {record})"
        case Nullable(inner):
            return f"f.nullable({_kind(inner, field)})"


def _integer(kind: Integer, field: Field) -> str:
    """Return how an integer is held: a bigint where a number never would do, or may not."""
    if field.wire.endswith("_ns"):
        return "f.bigint"
    if kind.minimum >= -_SAFE and kind.maximum <= _SAFE:
        return "f.integer"
    return "f.int64"


def _text_limits(kind: Text, field: Field) -> str:
    given: list[str] = []
    if kind.min_length is not None:
        given.append(f"minLength: {kind.min_length}")
    if kind.max_length is not None:
        given.append(f"maxLength: {kind.max_length}")
    if kind.pattern is not None:
        try:
            pattern = javascript_pattern(kind.pattern)
        except ValueError as exc:
            raise BindingsError(
                f"field {field.wire}: the pattern {kind.pattern!r} is one of Python alone: {exc};"
                " write it so that JavaScript reads it too"
            ) from exc
        given.append(f'pattern: new RegExp({json.dumps(pattern)}, "u")')
    return f"{{ {', '.join(given)} }}" if given else ""


def _is_zero(default: Any, kind: Type) -> bool:
    """Tell whether a default is what a missing field of this type is anyway."""
    if not takes_zero(kind):
        return False
    match kind:
        case Nullable() | Anything():
            return default is None
        case Text():
            return bool(default == "")
        case Integer() | Number() | Boolean():
            return bool(default == 0)
        case _:
            return not default


def _literal(default: Any, kind: Type, field: Field, records: Records) -> str:
    if isinstance(kind, Nullable):
        return "null" if default is None else _literal(default, kind.inner, field, records)
    if isinstance(kind, List):
        return f"[{', '.join(_literal(item, kind.item, field, records) for item in default)}]"
    if isinstance(kind, Map):
        return _object({k: _literal(v, kind.value, field, records) for k, v in default.items()})
    if isinstance(kind, Reference):
        members = {each.wire: each for each in records[kind.record].fields}
        return _object(
            {k: _literal(v, members[k].type, members[k], records) for k, v in default.items()}
        )
    if isinstance(kind, Integer) and _integer(kind, field) == "f.bigint":
        return f"{default}n"
    return _constant(default)


def _constant(value: Any) -> str:
    """Return a value that is the same wherever it stands, as a literal."""
    if isinstance(value, int) and abs(value) > _SAFE:
        return f"{value}n"
    return json.dumps(value) if isinstance(value, str) else _written(value)


def _object(members: Mapping[str, str]) -> str:
    inside = ", ".join(f"{json.dumps(key)}: {text}" for key, text in members.items())
    return f"{{ {inside} }}" if inside else "{}"


def _written(value: Any) -> str:
    """Return a value as JSON, its numbers as JavaScript spells them."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004  # from here on, JavaScript has an exponent
        return str(int(value))
    if isinstance(value, float) and 1e-6 <= abs(value) < 1e-4:  # noqa: PLR2004  # here, Python alone has one
        return f"{Decimal(repr(value)):f}"
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("e-0", "e-") if isinstance(value, float) else text


def _encoded(value: Any) -> str:
    """Return a value to the byte as a client writes it."""
    return _written(value).translate(_ESCAPES)


def _key(wire: str) -> str:
    return wire if IDENTIFIER.fullmatch(wire) else json.dumps(wire)
