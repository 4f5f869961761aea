"""What a generator needs to know of the protocol, in plain frozen values.

Everything here is ordered as it is written on the wire, or as it is to be declared, so that a
generator that walks it has the same output every time.
"""

import re
from typing import Any, Final, TypeAlias

import msgspec

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1


class Text(msgspec.Struct, frozen=True):
    """A string.

    Attributes:
        format: What it spells, in JSON Schema's words (`date-time`, `uuid`, ...); empty for any.
        min_length: Fewest characters.
        max_length: Most characters.
        pattern: A regular expression that it matches somewhere.
    """

    format: str = ""
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


class Integer(msgspec.Struct, frozen=True):
    """A whole number; both bounds are allowed values."""

    minimum: int = INT64_MIN
    maximum: int = INT64_MAX


class Number(msgspec.Struct, frozen=True):
    """A finite double; both bounds are allowed values."""

    minimum: float | None = None
    maximum: float | None = None


class Boolean(msgspec.Struct, frozen=True):
    """True or false."""


class Anything(msgspec.Struct, frozen=True):
    """Any JSON, null included."""


class Choice(msgspec.Struct, frozen=True):
    """One of a few fixed strings or whole numbers, in an order that is always the same."""

    values: tuple[str | int, ...]


class List(msgspec.Struct, frozen=True):
    """An array of any length."""

    item: "Type"


class Map(msgspec.Struct, frozen=True):
    """An object whose keys are free."""

    value: "Type"


class Reference(msgspec.Struct, frozen=True):
    """An object that is the record of this name."""

    record: str


class Nullable(msgspec.Struct, frozen=True):
    """Null, or what is inside."""

    inner: "Type"


Type: TypeAlias = (
    Text | Integer | Number | Boolean | Anything | Choice | List | Map | Reference | Nullable
)


def takes_zero(kind: Type) -> bool:
    """Tell whether what null stands for, such as 0 or the empty string, is a value of a type.

    A `Reference` is not looked into.
    """
    match kind:
        case Text():
            return not kind.min_length and (not kind.pattern or bool(re.search(kind.pattern, "")))
        case Integer():
            return kind.minimum <= 0 <= kind.maximum
        case Number():
            return (kind.minimum or 0) <= 0 <= (kind.maximum or 0)
        case Choice():
            return False
        case _:
            return True


class Field(msgspec.Struct, frozen=True):
    """One member of a record.

    Attributes:
        wire: Its key in the JSON object.
        name: The attribute that holds it in Python; often the same, `from_` for `from`.
        type: What its value is.
        doc: What it means, with its unit, in one or more sentences.
        required: Whether a reader refuses an object without it.
        default: What it is where it is missing (and, unless its type takes null, where it is
            null), as JSON; None where it is required. The `{}` of a `Reference` is a record
            that holds nothing but defaults.
        omitted_at_default: Whether a writer leaves it out while it equals `default`.
        null_when_empty: Whether a writer puts null for an empty list, like Go for a nil slice,
            where the record is the whole payload.
    """

    wire: str
    name: str
    type: Type
    doc: str
    required: bool = False
    default: Any = None
    omitted_at_default: bool = False
    null_when_empty: bool = False


class Record(msgspec.Struct, frozen=True):
    """A JSON object with known members.

    Attributes:
        name: The name of the class.
        doc: What it is, in one sentence.
        fields: Its members, in the order in which they are written.
        closed: Whether a reader refuses keys that it does not know.
    """

    name: str
    doc: str
    fields: tuple[Field, ...]
    closed: bool = False


class Constant(msgspec.Struct, frozen=True):
    """A string with a name: `INFER_REQUEST` is `infer.request`."""

    name: str
    value: str


class Message(msgspec.Struct, frozen=True):
    """A message type and its payload.

    Attributes:
        type: The name of the type as a constant, and the envelope's `type`.
        record: The name of the payload's record.
    """

    type: Constant
    record: str


class HTTP(msgspec.Struct, frozen=True):
    """How messages travel over HTTP; as `mist.transport` does it.

    Attributes:
        path: Where a URL that has no path posts to.
        json: The content type of one message.
        ndjson: The content type of a batch: one message a line.
        announcement: The header of an answer that names the content types a listener takes.
        timeout: How long a request may take, in seconds.
        max_batch_messages: How many messages a batch has at most.
        max_batch_bytes: How many bytes a batch has at most.
    """

    path: str = "/mist"
    json: str = "application/json"
    ndjson: str = "application/x-ndjson"
    announcement: str = "Accept-Post"
    timeout: float = 10.0
    max_batch_messages: int = 1024
    max_batch_bytes: int = 1 << 20


class Protocol(msgspec.Struct, frozen=True):
    """The protocol as a whole.

    Attributes:
        version: The version that new messages carry.
        min_version: The oldest version that is read.
        max_version: The newest version that is read.
        max_message_size: The largest payload, in bytes.
        max_envelope_size: The largest encoded message, in bytes.
        envelope: The message around every payload; its `payload` is kept as bytes.
        sources: The stack's own tools; any other non-empty string is a source too.
        messages: Every message type with a payload that is known.
        records: The payloads and what they are made of; each after those that it refers to.
        http: How messages travel over HTTP.
    """

    version: str
    min_version: str
    max_version: str
    max_message_size: int
    max_envelope_size: int
    envelope: Record
    sources: tuple[Constant, ...]
    messages: tuple[Message, ...]
    records: tuple[Record, ...]
    http: HTTP = HTTP()

    def record(self, name: str) -> Record:
        """Return the record of that name."""
        return next(record for record in self.records if record.name == name)
