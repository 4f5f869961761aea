"""The protocol as JSON Schema, draft 2020-12.

What a schema says of a message is what a reader of mist takes, so null stands for absent where
Go's decoder lets it. A schema cannot say which of two equal keys counts, nor that a checksum is
right.
"""

from collections.abc import Iterable
from typing import Any, Final

from mist.bindings.inspection import describe
from mist.bindings.mark import notice
from mist.bindings.model import (
    Anything,
    Boolean,
    Choice,
    Field,
    Integer,
    List,
    Map,
    Message,
    Nullable,
    Number,
    Protocol,
    Record,
    Reference,
    Text,
    Type,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_LOCAL: Final = "#/$defs/"


def schema(protocol: Protocol | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a message with any payload; each payload is one of its `$defs`.

    A message of a known type must have that type's payload; of any other type, any JSON.

    Args:
        protocol: What to describe; by default every payload that is registered.
    """
    protocol = describe() if protocol is None else protocol
    envelope = record_schema(protocol.envelope, _LOCAL)
    return {
        "$schema": DIALECT,
        "$comment": notice(protocol.version),
        "title": "MIST message",
        **envelope,
        "allOf": [_payload_of(message) for message in protocol.messages],
        "$defs": definitions(protocol.records, _LOCAL),
    }


def definitions(records: Iterable[Record], prefix: str) -> dict[str, Any]:
    """Return the schema of each record by its name.

    Args:
        records: The records, all that they refer to among them.
        prefix: What a reference to a record begins with, such as `#/$defs/`.
    """
    return {record.name: record_schema(record, prefix) for record in records}


def record_schema(record: Record, prefix: str) -> dict[str, Any]:
    """Return the schema of an object with known members."""
    made: dict[str, Any] = {"type": "object"}
    if record.doc:
        made["description"] = record.doc
    made["properties"] = {field.wire: _field_schema(field, prefix) for field in record.fields}
    if required := [field.wire for field in record.fields if field.required]:
        made["required"] = required
    if record.closed:
        made["additionalProperties"] = False
    return made


def _payload_of(message: Message) -> dict[str, Any]:
    """Say that a message of this type has this payload, if it has one."""
    payload = {"anyOf": [{"$ref": _LOCAL + message.record}, {"type": "null"}]}
    return {
        "if": {"properties": {"type": {"const": message.type.value}}, "required": ["type"]},
        "then": {"properties": {"payload": payload}},
    }


def _field_schema(field: Field, prefix: str) -> dict[str, Any]:
    made = _null_too(field, type_schema(field.type, prefix))
    if field.doc:
        made["description"] = field.doc
    if field.default is not None:
        made["default"] = field.default
    return made


def _null_too(field: Field, made: dict[str, Any]) -> dict[str, Any]:
    """Allow null, which stands for absent, in a member that may be absent."""
    if field.required or isinstance(field.type, Anything | Nullable):
        return made
    return _or_null(made)


def _or_null(made: dict[str, Any]) -> dict[str, Any]:
    if "type" in made and "enum" not in made:
        return {**made, "type": [made["type"], "null"]}
    return {"anyOf": [made, {"type": "null"}]}


def type_schema(kind: Type, prefix: str) -> dict[str, Any]:  # noqa: PLR0911  # one line a kind
    """Return the schema of a value."""
    match kind:
        case Text():
            return _text_schema(kind)
        case Integer():
            return {"type": "integer", "minimum": kind.minimum, "maximum": kind.maximum}
        case Number():
            return _given(type="number", minimum=kind.minimum, maximum=kind.maximum)
        case Boolean():
            return {"type": "boolean"}
        case Anything():
            return {}
        case Choice():
            return {"enum": list(kind.values)}
        case List():
            return {"type": "array", "items": _inside(kind.item, prefix)}
        case Map():
            return {"type": "object", "additionalProperties": _inside(kind.value, prefix)}
        case Reference():
            return {"$ref": prefix + kind.record}
        case Nullable():
            return _or_null(type_schema(kind.inner, prefix))


def _inside(kind: Type, prefix: str) -> dict[str, Any]:
    """Return the schema of an item; null is the zero value there, save where there is none."""
    made = type_schema(kind, prefix)
    return made if isinstance(kind, Anything | Nullable | Choice) else _or_null(made)


def _text_schema(kind: Text) -> dict[str, Any]:
    encoded = kind.format == "base64"
    return _given(
        type="string",
        contentEncoding="base64" if encoded else None,
        format=None if encoded or kind.format == "decimal" else kind.format or None,
        minLength=kind.min_length,
        maxLength=kind.max_length,
        pattern=kind.pattern,
    )


def _given(**keywords: Any) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if value is not None}
