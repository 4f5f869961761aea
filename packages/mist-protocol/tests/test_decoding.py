"""From payload bytes to typed values: Go's leniency, and errors that name the place."""

import dataclasses
import datetime as dt
from typing import Any, TypedDict

import msgspec
import pytest
from msgspec import Raw

from mist.protocol import (
    ChatMessage,
    DataSchema,
    EvalRun,
    HealthPing,
    InferRequest,
    InferResponse,
    Message,
    ProtocolError,
    SchemaField,
)


def message_of(payload, kind="t"):
    """Return a message with a payload of these bytes."""
    return Message("1", "a", "s", kind, 0, Raw(payload))


class Node(msgspec.Struct):
    """A recursive class, with every kind of place for a null."""

    name: str = ""
    size: float = 0.0
    child: "Node | None" = None
    kids: "list[Node]" = []
    extra: Any = 1
    raw: Raw = Raw(b"0")
    needed: int | None = 5


@dataclasses.dataclass
class Order:
    """A user's dataclass."""

    number: int
    when: dt.datetime | None = None
    counts: dict[int, int] = dataclasses.field(default_factory=dict)
    note: str = "none"


def test_without_a_target_the_registered_class_is_used():
    """`decode()` returns an instance of the class that is registered for the message's type."""
    assert message_of(b'{"from":"x"}', "health.ping").decode() == HealthPing("x")


def test_an_unregistered_type_decodes_to_json_values():
    """`decode()` of a type that nobody registered returns plain JSON values."""
    assert message_of(b'[1,"two",null,{"k":[]}]').decode() == [1, "two", None, {"k": []}]
    assert message_of(b"null").decode() is None


def test_a_target_overrides_the_registered_class():
    """`decode(T)` decodes to T, whatever the message's type."""
    message = message_of(b'{"from":"x"}', "health.ping")
    assert message.decode(dict) == {"from": "x"}
    assert message.decode(dict[str, str]) == {"from": "x"}
    assert message_of(b"[1]").decode(list[float]) == [1.0]


class Names(TypedDict):
    """A dictionary with known keys."""

    names: list[str]
    next: int | None


@pytest.mark.parametrize(
    ("payload", "target", "expected"),
    [
        (b"{}", InferRequest, InferRequest()),
        (b"null", InferRequest, InferRequest()),
        (
            b'{"model":null,"provider":null,"messages":null,"params":null,"meta":null}',
            InferRequest,
            InferRequest(),
        ),
        (
            b'{"messages":[null,{"role":null,"content":"x"}],"meta":{"k":null}}',
            InferRequest,
            InferRequest("", messages=[ChatMessage(), ChatMessage("", "x")], meta={"k": ""}),
        ),
        (b'{"tokens_in":null,"cost_usd":null}', InferResponse, InferResponse()),
        (b'{"baseline":null,"tasks":[null]}', EvalRun, EvalRun("", [""])),
        (b'{"fields":[{"required":null}]}', DataSchema, DataSchema("", [SchemaField()])),
        (b'{"child":{"name":null},"size":null}', Node, Node(child=Node())),
        (
            b'{"kids":[null,{"kids":[{"size":null}]}]}',
            Node,
            Node(kids=[Node(), Node(kids=[Node()])]),
        ),
        (b'{"name":null,"extra":null,"needed":null}', Node, Node(extra=None, needed=None)),
        (b'{"name":null,"raw":null}', Node, Node(raw=Raw(b"null"))),
        (
            b'{"number":1,"note":null,"when":"2024-01-02T00:00:00Z","counts":{"7":null}}',
            Order,
            Order(1, dt.datetime(2024, 1, 2, tzinfo=dt.UTC), {7: 0}),
        ),
        (b"[1,null]", list[int], [1, 0]),
        (b"[1,null]", tuple[int, ...], (1, 0)),
        (b'{"names":["a",null],"next":null}', Names, {"names": ["a", ""], "next": None}),
    ],
)
def test_missing_and_null_are_the_zero_value(payload, target, expected):
    """A field that is missing or null has its zero value or default, as Go's decoder has it."""
    assert message_of(payload).decode(target) == expected


def test_free_form_values_keep_their_nulls():
    """Null inside free-form JSON stays None, also beside a null that is filled in."""
    request = message_of(b'{"model":null,"params":{"a":null,"b":[null]}}').decode(InferRequest)
    assert request.params == {"a": None, "b": [None]}


def test_unknown_fields_are_ignored():
    """A field that a newer peer added is passed over."""
    assert message_of(b'{"from":"x","new":{"a":[1]}}').decode(HealthPing) == HealthPing("x")


def test_integers_are_exact():
    """Integers keep every digit to the int64 limits."""
    payload = b'{"tokens_in":9223372036854775807,"tokens_out":-9223372036854775808}'
    response = message_of(payload).decode(InferResponse)
    assert (response.tokens_in, response.tokens_out) == ((1 << 63) - 1, -(1 << 63))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"model":1}', "Expected `str`, got `int` - at `$.model`"),
        (b'{"messages":[{"role":[]}]}', "Expected `str`, got `array` - at `$.messages[0].role`"),
        (b'{"meta":{"k":1}}', "Expected `str`, got `int` - at `$.meta[...]`"),
        (b'{"model":null,"provider":3}', "Expected `str`, got `int` - at `$.provider`"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{", "Input data was truncated"),
        (b"", "there is none"),
    ],
)
def test_an_error_names_the_messages_type_and_the_path(payload, reason):
    """What does not fit is said with the message's type, the path and what was expected."""
    with pytest.raises(ProtocolError) as caught:
        message_of(payload, "infer.request").decode()
    assert str(caught.value) == f"payload of infer.request: {reason}"


def test_a_null_for_a_field_without_default_is_an_error():
    """A null counts as missing, which a field without default must not be."""
    with pytest.raises(ProtocolError, match="Object missing required field `number`"):
        message_of(b'{"number":null}').decode(Order)


def test_nulls_deep_down_are_refused_without_a_crash():
    """Nesting that the second try cannot walk is a ProtocolError like any other."""
    deep = b'{"kids":[' * 450 + b'{"name":null}' + b"]}" * 450
    try:
        node = message_of(deep).decode(Node)
    except ProtocolError:
        return
    while node.kids:
        (node,) = node.kids
    assert node == Node()


def test_a_custom_check_that_fails_is_a_protocol_error():
    """A class that refuses its values by ValueError refuses the payload."""

    class Positive(msgspec.Struct):
        n: int

        def __post_init__(self):
            if self.n < 0:
                raise ValueError("n must not be negative")

    assert message_of(b'{"n":1}').decode(Positive) == Positive(1)
    with pytest.raises(ProtocolError, match="payload of t: n must not be negative"):
        message_of(b'{"n":-1}').decode(Positive)
