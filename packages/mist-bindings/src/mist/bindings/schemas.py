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
    takes_zero,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema(protocol: Protocol | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a message with any payload; each payload is one of its `$defs`.

    A message of a known type must have that type's payload; of any other type, any JSON.

    Args:
        protocol: What to describe; by default every payload that is registered.
    """
    protocol = describe() if protocol is None else protocol
    schemas = Schemas(protocol.records, "#/$defs/")
    return {
        "$schema": DIALECT,
        "$comment": notice(protocol.version),
        "title": "MIST message",
        **schemas.of_record(protocol.envelope),
        "allOf": [_payload_of(message, schemas) for message in protocol.messages],
        "$defs": schemas.definitions(),
    }


def _payload_of(message: Message, schemas: "Schemas") -> dict[str, Any]:
    """Say that a message of this type has this payload, if it has one."""
    return {
        "if": {"properties": {"type": {"const": message.type.value}}, "required": ["type"]},
        "then": {"properties": {"payload": schemas.of_item(Reference(message.record))}},
    }


class Schemas:
    """The schemas of records, which refer to each other."""

    def __init__(self, records: Iterable[Record], prefix: str) -> None:
        """Take in the records.

        Args:
            records: The records, all that they refer to among them.
            prefix: What a reference to a record begins with, such as `#/$defs/`.
        """
        self._records = {record.name: record for record in records}
        self._prefix = prefix

    def definitions(self) -> dict[str, Any]:
        """Return the schema of each record by its name."""
        return {name: self.of_record(record) for name, record in self._records.items()}

    def reference(self, name: str) -> dict[str, Any]:
        """Return the schema that is the one of a record."""
        from urllib.parse import quote  # noqa: PLC0415  # slow to load, and only schemas need it

        return {"$ref": self._prefix + quote(name)}

    def of_record(self, record: Record) -> dict[str, Any]:
        """Return the schema of an object with known members."""
        made: dict[str, Any] = {"type": "object"}
        if record.doc:
            made["description"] = record.doc
        made["properties"] = {field.wire: self._of_field(field) for field in record.fields}
        if required := [field.wire for field in record.fields if field.required]:
            made["required"] = required
        if record.closed:
            made["additionalProperties"] = False
        return made

    def of_item(self, kind: Type) -> dict[str, Any]:
        """Return the schema of what is no member; null is its zero value, where that fits."""
        made = self._of(kind)
        is_alone = isinstance(kind, Anything | Nullable) or not self._takes_zero(kind)
        return made if is_alone else _or_null(made)

    def _takes_zero(self, kind: Type) -> bool:
        if isinstance(kind, Reference):
            return not any(field.required for field in self._records[kind.record].fields)
        return takes_zero(kind)

    def _of_field(self, field: Field) -> dict[str, Any]:
        made = self._of(field.type)
        # Null stands for absent in a member that may be absent.
        if not field.required and not isinstance(field.type, Anything | Nullable):
            made = _or_null(made)
        if field.doc:
            made["description"] = field.doc
        if field.default is not None:
            made["default"] = field.default
        return made

    def _of(self, kind: Type) -> dict[str, Any]:  # noqa: PLR0911  # one line a kind
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
                return {"type": "array", "items": self.of_item(kind.item)}
            case Map():
                return {"type": "object", "additionalProperties": self.of_item(kind.value)}
            case Reference():
                return self.reference(kind.record)
            case Nullable():
                return _or_null(self._of(kind.inner))


def _or_null(made: dict[str, Any]) -> dict[str, Any]:
    if "type" in made and "enum" not in made:
        return {**made, "type": [made["type"], "null"]}
    return {"anyOf": [made, {"type": "null"}]}


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
