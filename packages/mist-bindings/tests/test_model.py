"""The model says what the payload classes say."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, TypedDict, TypeVar

import msgspec
import pytest

from mist.bindings import BindingsError, describe
from mist.bindings.inspection import OWN_TYPES
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
)
from mist.protocol import MAX_MESSAGE_SIZE, Message, MessageType, Source, payload_type

pytestmark = pytest.mark.usefixtures("payload_types")


def fields_of(cls):
    """Register a class, and return the fields of its record by their attribute names."""
    payload_type("acme.test")(cls)
    record = describe(["acme.test"]).record(cls.__name__)
    return {field.name: field for field in record.fields}


def refusal(cls):
    """Register a class that cannot be described, and return why."""
    payload_type("acme.test")(cls)
    with pytest.raises(BindingsError) as caught:
        describe(["acme.test"])
    assert caught.value.code == "validation"
    return str(caught.value)


def test_the_protocol_itself():
    """Versions, limits, sources and message types are those of mist.protocol."""
    protocol = describe(OWN_TYPES)
    assert (protocol.version, protocol.min_version, protocol.max_version) == ("1", "1", "1")
    assert protocol.max_message_size == MAX_MESSAGE_SIZE
    assert {each.name: each.value for each in protocol.sources} == {
        member.name: str(member) for member in Source
    }
    assert {each.type.name: each.type.value for each in protocol.messages} == {
        member.name: str(member) for member in MessageType
    }
    assert [field.wire for field in protocol.envelope.fields] == list(Message.__struct_fields__)
    assert [field.wire for field in protocol.envelope.fields if field.required] == [
        "version",
        "id",
        "source",
        "type",
    ]


def test_a_payload_of_the_stack():
    """Fields come in wire order, with both names, defaults, and how they are written."""
    protocol = describe(OWN_TYPES)
    request = protocol.record("InferRequest")
    assert request.doc == "A request for one completion."
    assert [(f.wire, f.omitted_at_default, f.null_when_empty) for f in request.fields] == [
        ("model", False, False),
        ("provider", True, False),
        ("messages", False, True),
        ("params", True, False),
        ("meta", True, False),
    ]
    assert [f.type for f in request.fields] == [
        Text(),
        Text(),
        List(Reference("ChatMessage")),
        Map(Anything()),
        Map(Text()),
    ]
    baseline = protocol.record("EvalResult").fields[4]
    assert (baseline.name, baseline.wire) == ("baseline", "baseline_score")
    assert baseline.doc == "The score to compare with."


def test_every_field_of_the_stack_is_documented_with_its_unit():
    """No field goes without a text, and one whose name ends in a unit says it in words."""
    units = {"_ns": "nanoseconds", "_ms": "milliseconds", "_s": "seconds", "_usd": "US dollars"}
    protocol = describe(OWN_TYPES)
    for record in (protocol.envelope, *protocol.records):
        assert record.doc
        for field in record.fields:
            assert field.doc, f"{record.name}.{field.name}"
            for suffix, unit in units.items():
                if field.wire.endswith(suffix):
                    assert unit in field.doc, f"{record.name}.{field.name}"


def test_records_come_after_what_they_refer_to():
    """A generator may declare records in the order of the model."""
    names = [record.name for record in describe(OWN_TYPES).records]
    assert names.index("ChatMessage") < names.index("InferRequest")
    assert names.index("SchemaField") < names.index("DataSchema")


def test_the_model_is_the_same_in_every_process():
    """Two processes with different hash seeds make equal models."""
    script = "from mist.bindings import describe; print(describe())"
    models = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(models) == 1


class Colour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    """A size."""

    SMALL = 1
    LARGE = 2


@dataclass
class Item:
    """A dataclass."""

    name: str
    left: "Item | None" = None


@dataclass(kw_only=True)
class Parcel:
    """A dataclass whose last field alone is required."""

    weight: int = 0
    depth: int = 0
    code: str


class Label(TypedDict):
    """A dictionary with known keys."""

    text: str
    colour: str


@pytest.mark.parametrize(
    ("cls", "order"), [(Parcel, ["weight", "depth", "code"]), (Label, ["text", "colour"])]
)
def test_fields_stand_in_the_order_of_their_class(cls, order):
    """That is the order in which they are written."""
    assert list(fields_of(cls)) == order


class Everything(msgspec.Struct, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """All kinds of fields.

    Attributes:
        order_id: Which order,
            on two lines.
    """

    order_id: Annotated[int, msgspec.Meta(gt=0, le=100)]
    flag: bool
    ratio: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    code: Annotated[str, msgspec.Meta(min_length=2, max_length=4, pattern="^[a-z]+$")]
    colour: Colour
    size: Size
    mode: Literal["fast", "exact"]
    when: datetime
    blob: bytes
    items: list[Item]
    pairs: dict[str, list[int]]
    maybe: str | None
    number: int | float
    free: Any
    note: str = "none"
    count: int = 7
    tags: list[str] = []
    item: Item = msgspec.field(default_factory=lambda: Item("x"))


def test_every_kind_of_field():
    """Each kind that msgspec knows and JSON has is described, with its constraints."""
    fields = fields_of(Everything)
    assert {name: field.type for name, field in fields.items()} == {
        "order_id": Integer(1, 100),
        "flag": Boolean(),
        "ratio": Number(0.0, 1.0),
        "code": Text("", 2, 4, "^[a-z]+$"),
        "colour": Choice(("red", "blue")),
        "size": Choice((1, 2)),
        "mode": Choice(("exact", "fast")),
        "when": Text("date-time"),
        "blob": Text("base64"),
        "items": List(Reference("Item")),
        "pairs": Map(List(Integer(INT64_MIN, INT64_MAX))),
        "maybe": Nullable(Text()),
        "number": Number(),
        "free": Anything(),
        "note": Text(),
        "count": Integer(),
        "tags": List(Text()),
        "item": Reference("Item"),
    }
    assert fields["order_id"].wire == "orderId"
    assert fields["order_id"].doc == "Which order, on two lines."
    assert [name for name, field in fields.items() if not field.required] == [
        "note",
        "count",
        "tags",
    ], "what a function makes is not the same every time, so a client must be given it"
    assert fields["count"].default == 7
    assert fields["tags"].omitted_at_default
    assert describe(["acme.test"]).record("Everything").closed


def test_a_record_that_refers_to_itself():
    """A tree is described by one record."""
    fields = fields_of(Item)
    assert fields["left"].type == Nullable(Reference("Item"))
    assert [record.name for record in describe(["acme.test"]).records] == ["Item"]


def test_own_types_come_after_those_of_the_stack():
    """All that is registered is described: the stack's own in their order, then others sorted."""
    for name in ("acme.b", "acme.a"):
        payload_type(name)(msgspec.defstruct(f"P{name[-1]}", [("x", int)]))
    names = [message.type.value for message in describe().messages]
    assert names == [*OWN_TYPES, "acme.a", "acme.b"]
    assert describe().messages[-1].type.name == "ACME_B"


T = TypeVar("T")


class Box(msgspec.Struct, Generic[T]):
    """A generic class."""

    inside: T


class Dog(msgspec.Struct, tag=True):
    """A tagged class."""


class Row(msgspec.Struct, array_like=True):
    """An array."""

    x: int


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (int | str, "a union of Int, Str has no counterpart"),
        (tuple[int, str], "Tuple has no counterpart"),
        (set[int], "Set has no counterpart"),
        (dict[int, str], "Dict has no counterpart"),
        (complex, "Custom has no counterpart"),
        (Literal[None], "a choice that is not among strings"),
        (Annotated[int, msgspec.Meta(multiple_of=2)], "do not check multiple_of"),
        (Annotated[list[int], msgspec.Meta(max_length=2)], "do not check max_length"),
        (Box[int], "is generic"),
        (Dog, "has a tag"),
        (Row, "is array_like"),
    ],
)
def test_what_cannot_be_described_is_refused_by_its_place(kind, reason):
    """The text names message type, class and field, and says what to do."""
    order = msgspec.defstruct("Order", [("ok", str), ("bad", list[kind])])
    text = refusal(order)
    assert text.startswith("payload of acme.test, Order.bad[...]")
    assert reason in text


def test_what_msgspec_cannot_read_is_refused_in_its_words():
    """The text names the message type, and says what is wrong with the class."""
    cat, dog = (msgspec.defstruct(name, []) for name in ("Cat", "Dog"))
    text = refusal(msgspec.defstruct("Order", [("pet", cat | dog)]))
    assert text.startswith("payload of acme.test: msgspec cannot read Order: ")
    assert "union" in text


def test_what_an_annotation_says_of_a_field_besides_its_bounds_is_passed_over():
    """A title or an example of msgspec's does not change what a value is."""
    title = Annotated[int, msgspec.Meta(ge=1, title="Amount", extra_json_schema={"unit": "g"})]
    assert fields_of(msgspec.defstruct("Order", [("amount", title)]))["amount"].type == Integer(1)


def test_a_default_without_a_json_form_is_refused():
    """A client could not be given it."""
    order = msgspec.defstruct("Order", [("bad", Any, 1j)])
    assert refusal(order).startswith(
        "payload of acme.test, Order.bad: its default has no JSON form: "
    )


@pytest.mark.parametrize("name", ["2.orders", "...", "訂單"])
def test_a_type_that_makes_no_name_of_a_constant_is_refused(name):
    """A constant is made of letters of ASCII, and does not begin with a digit."""
    payload_type(name)(msgspec.defstruct("Order", []))
    with pytest.raises(BindingsError, match=f"message type '{name}' makes no constant's name"):
        describe([name])


def test_two_classes_of_one_name_are_refused():
    """A client has one class of a name, so two in Python would be mixed up."""
    inner = msgspec.defstruct("Order", [("x", int)], module="acme.inner")
    outer = msgspec.defstruct("Order", [("inner", inner)], module="acme.outer")
    assert "acme.inner.Order and acme.outer.Order would both be named Order" in refusal(outer)


def test_two_types_with_one_constant_are_refused():
    """`acme.x` and `acme-x` would both be ACME_X."""
    for name in ("acme.x", "acme-x"):
        payload_type(name)(msgspec.defstruct("X" + name[4:5].replace("-", "D"), []))
    with pytest.raises(BindingsError, match="would both be the constant ACME_X"):
        describe()


def test_a_type_that_nobody_registered():
    """Asking for it is an error of code not_found."""
    with pytest.raises(BindingsError, match=r"no payload is registered for 'acme\.none'") as caught:
        describe(["acme.none"])
    assert caught.value.code == "not_found"


def test_a_payload_without_fields_of_its_own():
    """A list cannot be a payload class of a client."""
    payload_type("acme.test")(list)
    with pytest.raises(BindingsError, match="has no named fields"):
        describe(["acme.test"])
