"""What a payload may be, and how it is refused when it has no faithful JSON form."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import types
import uuid

import msgspec
import pytest
from msgspec import Raw

from mist.protocol import InferRequest, Message, ProtocolError


class Colour(enum.Enum):
    """Members whose values are faithful, and members whose values are not."""

    RED = "red"
    TAINTED = math.nan
    BAG = frozenset({1})
    LISTED = [1, math.inf]  # noqa: RUF012  # an enum's member, not a class's default


class Huge(enum.IntEnum):
    """An integer that is too large, as a member."""

    VALUE = 1 << 64


class Box(msgspec.Struct):
    """A Struct that holds anything."""

    item: object


class Row(msgspec.Struct, array_like=True):
    """A Struct that is written as an array."""

    item: object


class BoxMeta(msgspec.StructMeta):
    """A metaclass of somebody's own."""


class OtherBox(msgspec.Struct, metaclass=BoxMeta):
    """A Struct of another metaclass."""

    item: object


@dataclasses.dataclass
class Record:
    """A dataclass that holds anything."""

    item: object


@dataclasses.dataclass(slots=True)
class Slotted:
    """A dataclass of which a field was never set."""

    item: object
    unset: int = dataclasses.field(init=False)


class Pair(collections.namedtuple("Pair", "left right")):
    """A named tuple."""

    __slots__ = ()


class Attribute:
    """What attrs calls an attribute."""

    name = "item"


class Attrs:
    """An object marked the way attrs marks its classes."""

    __attrs_attrs__ = (Attribute,)

    def __init__(self, item):
        self.item = item


class Table(dict):
    """A dict of another class."""


class Items(list):
    """A list of another class."""


def encode(payload):
    """Return the bytes that `new` makes of a payload."""
    return bytes(Message.new("s", "t", payload).payload)


def nest(levels, innermost):
    """Put a value into that many lists."""
    for _ in range(levels):
        innermost = [innermost]
    return innermost


def cycle_of(container):
    """Make a container contain itself."""
    if isinstance(container, dict):
        container["a"] = [container]
    elif isinstance(container, list):
        container.append(container)
    else:
        container.item = [container]
    return container


@pytest.mark.parametrize(
    ("payload", "path", "reason"),
    [
        (math.nan, "$", "nan has no JSON form"),
        ([1.0, -math.inf], "$[1]", "-inf has no JSON form"),
        ({"a": {"b": [0, {"c": math.nan}]}}, "$.a.b[1].c", "nan has no JSON form"),
        ({1, 2}, "$", "a set has no JSON form, pass a list"),
        ({"a": [frozenset()]}, "$.a[0]", "a frozenset has no JSON form"),
        ({"a": {}.keys()}, "$.a", "a dict_keys has no JSON form"),
        (1 << 64, "$", "out of the 64-bit range"),
        ([-(1 << 63) - 1], "$[0]", "out of the 64-bit range"),
        ({"n": 10**5000}, "$.n", "out of the 64-bit range"),
        ({"a": "\ud800"}, "$.a", "a lone surrogate"),
        ([object()], "$[0]", "object is unsupported"),
        ({"f": len}, "$.f", "builtin_function_or_method is unsupported"),
        ([Box], "$[0]", "unsupported"),
        (Record, "$", "unsupported"),
        (types.MappingProxyType({"a": 1}), "$", "mappingproxy is unsupported"),
        (collections.UserDict(a={1}), "$", "UserDict is unsupported"),
        ({"u": msgspec.UNSET}, "$.u", "UnsetType is unsupported"),
        (Box({1}), "$.item", "a set has no JSON form"),
        (Row([1, {2}]), "$.item[1]", "a set has no JSON form"),
        (OtherBox(math.nan), "$.item", "nan has no JSON form"),
        ([OtherBox(1 << 70)], "$[0].item", "out of the 64-bit range"),
        ([1, Box(math.nan)], "$[1].item", "nan has no JSON form"),
        ({"b": Row(math.inf)}, "$.b.item", "inf has no JSON form"),
        ({"r": Record([math.nan])}, "$.r.item[0]", "nan has no JSON form"),
        (Slotted(1 << 64), "$.item", "out of the 64-bit range"),
        (Attrs({1}), "$.item", "a set has no JSON form"),
        (Pair(1, {2}), "$[1]", "a set has no JSON form"),
        (Table(a=Items([math.nan])), "$.a[0]", "nan has no JSON form"),
        ((1, (math.nan,)), "$[1][0]", "nan has no JSON form"),
        ([Colour.TAINTED], "$[0]", "nan has no JSON form"),
        (Colour.BAG, "$", "a frozenset has no JSON form"),
        ({"c": Colour.LISTED}, "$.c[1]", "inf has no JSON form"),
        ([Huge.VALUE], "$[0]", "out of the 64-bit range"),
        ([Raw(b"nope")], "$[0]", "a Raw that is not JSON"),
        ({"a": Raw(b'1,"b":2')}, "$.a", "a Raw that is not JSON"),
        (Raw(b"{"), "$", "a Raw that is not JSON"),
        (Raw(b""), "$", "a Raw that is not JSON"),
        (Raw(b'"\xff"'), "$", "a Raw that is not JSON"),
        ({"two words\n": math.nan}, r"$['two words\n']", "nan has no JSON form"),
        ({"k" * 1000: math.nan}, "$.kkkkkkkkkkkkkkkkkkkk...kkkkkkkkkkkkkkkkk", "nan"),
        ({3: math.nan}, "$[3]", "nan has no JSON form"),
    ],
)
def test_an_unfaithful_value_is_refused_by_its_path(payload, path, reason):
    """A value that would arrive as something else is an error that names where it is."""
    with pytest.raises(ProtocolError) as caught:
        Message.new("s", "t", payload)
    assert str(caught.value).startswith("cannot encode payload: ")
    assert str(caught.value).endswith(f"`{path}`")
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({None: 1}, "key `None` in `$`"),
        ({"x": [{(1, 2): 1}]}, "key `(1, 2)` in `$.x[0]`"),
        ({"x": {True: 1}}, "key `True` in `$.x`"),
        (Box({object: 1}), "in `$.item`"),
        ({"\ud800": 1}, r"key `'\ud800'` in `$`"),
        ({10**5000: 1}, "key `int` in `$`"),
    ],
)
def test_a_key_without_json_form_is_refused_by_its_path(payload, place):
    """A key that JSON cannot have is an error that names the key and its object."""
    with pytest.raises(ProtocolError) as caught:
        Message.new("s", "t", payload)
    assert str(caught.value).endswith(place)
    str(caught.value).encode()


@pytest.mark.parametrize("container", [{}, [], Box(None), Record(None)])
def test_a_cycle_is_refused_by_its_path(container):
    """A value that contains itself is an error, on every kind of container."""
    with pytest.raises(ProtocolError, match=r"contains itself has no JSON form - at `\$"):
        Message.new("s", "t", cycle_of(container))


def test_a_value_that_is_shared_is_no_cycle():
    """The same list twice is written twice."""
    shared = [1]
    assert encode({"a": shared, "b": [shared, shared]}) == b'{"a":[1],"b":[[1],[1]]}'


def test_a_field_that_was_deleted_is_refused():
    """A Struct that lost a field is a ProtocolError like every other bad payload."""
    box = Box(1)
    del box.item
    with pytest.raises(ProtocolError, match="'item' is unset"):
        Message.new("s", "t", [box])


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (None, b"null"),
        (True, b"true"),
        (-(1 << 63), b"-9223372036854775808"),
        ((1 << 64) - 1, b"18446744073709551615"),
        ([5e-324, 1.7976931348623157e308], b"[5e-324,1.7976931348623157e308]"),
        ((1, [2, (3,)]), b"[1,[2,[3]]]"),
        (Colour.RED, b'"red"'),
        (Table(a=Items([1])), b'{"a":[1]}'),
        (Box(Row(Record(None))), b'{"item":[{"item":null}]}'),
        (OtherBox(1), b'{"item":1}'),
        (Slotted(1), b'{"item":1}'),
        (Pair(1, 2), b"[1,2]"),
        (Box(msgspec.UNSET), b"{}"),
        ({1: 2, 1 << 70: 3}, b'{"1":2,"1180591620717411303424":3}'),
        (decimal.Decimal("1.50"), b'"1.50"'),
        (dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC), b'"2024-01-02T03:04:05Z"'),
        (dt.date(2024, 1, 2), b'"2024-01-02"'),
        (dt.timedelta(seconds=90), b'"PT90S"'),
        (uuid.UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        ([b"ab", bytearray(b"ab"), memoryview(b"ab")], b'["YWI=","YWI=","YWI="]'),
    ],
)
def test_what_has_a_faithful_form_is_encoded(payload, expected):
    """JSON values, Structs, dataclasses, enums and standard scalars are written compactly."""
    assert encode(payload) == expected


def test_characters_that_go_escapes_are_escaped():
    """The five characters that Go rewrites are escaped in keys and values, and read back."""
    text = "<b>&amp;\u2028\u2029</b> é 世界 \U0001f389"
    encoded = encode({text: text})
    assert not set(b"<>&") & set(encoded)
    assert "\u2028".encode() not in encoded
    assert "\u2029".encode() not in encoded
    assert "世界".encode() in encoded
    assert json.loads(encoded) == {text: text}


@pytest.mark.parametrize(
    "raw",
    [b' { "a" : [ 1.0 , 1e400 , 123456789012345678901234567890 ],\r\n"b":"<  \xe2\x80\xa8" } '],
)
def test_ready_made_json_keeps_its_values_and_loses_its_spacing(raw, relay):
    """A Raw is made compact and escaped, its numbers and strings left to the letter."""
    expected = rb'{"a":[1.0,1e400,123456789012345678901234567890],"b":"\u003c  \u2028"}'
    assert encode(Raw(raw)) == expected
    assert encode([Raw(raw)]) == b"[" + expected + b"]"
    assert encode(Box(Raw(raw))) == b'{"item":' + expected + b"}"
    message = Message.new("s", "t", Raw(raw)).with_checksum()
    assert Message.unmarshal(relay(message.marshal())).verify_checksum()


def test_empty_nil_slices_are_null_at_the_payloads_top():
    """What Go holds as a nil slice is written as null when empty, and as a list when not."""
    assert encode(InferRequest("m")) == b'{"model":"m","messages":null}'
    request = InferRequest("m")
    encode(request)
    assert request.messages == []


def test_deep_but_encodable_nesting_survives():
    """400 levels encode, travel and decode on every interpreter."""
    payload = nest(400, 1)
    message = Message.unmarshal(Message.new("s", "t", payload).marshal())
    assert message.decode() == payload
    nested = {"a": nest(400, {"b": Box(1)})}
    assert Message.new("s", "t", nested).decode()["a"]


@pytest.mark.parametrize("innermost", [1, math.nan, Box(1)])
def test_nesting_beyond_every_limit_is_refused(innermost):
    """100,000 levels are a ProtocolError, not a crash."""
    with pytest.raises(ProtocolError, match="nested deeper than 500 levels"):
        Message.new("s", "t", nest(100_000, innermost))
