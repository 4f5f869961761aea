"""The generated Python client and mist.protocol: what one encodes, the other decodes."""

import ast
import json
import math
import sys
import zlib
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mist.protocol as ours
from mist.bindings import BindingsError, describe, render
from mist.bindings.inspection import OWN_TYPES

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | INT64 | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OWN = {message_type: ours.payload_class(message_type) for message_type in OWN_TYPES}


def payloads():
    """Return a strategy for an instance of any payload class, with its message type."""
    values = {str: TEXT, int: INT64, float: FLOATS, bool: st.booleans(), Any: JSON}

    def fill(cls):
        return st.builds(
            cls, **{field.name: of(field.type) for field in msgspec.structs.fields(cls)}
        )

    def of(kind):
        origin, arguments = getattr(kind, "__origin__", None), getattr(kind, "__args__", ())
        if kind in values:
            return values[kind]
        if origin is list:
            return st.lists(of(arguments[0]), max_size=3)
        if origin is dict:
            return st.dictionaries(TEXT, of(arguments[1]), max_size=3)
        return fill(kind)

    return st.sampled_from(sorted(OWN)).flatmap(
        lambda name: st.tuples(st.just(name), fill(OWN[name]))
    )


def equal(one, other):
    """Compare JSON values, telling 1 from 1.0 and 0.0 from -0.0."""
    return repr(one) == repr(other)


@given(payloads())
def test_a_payload_of_mist_is_read_and_written_to_the_byte(client, typed):
    """The client decodes what mist encodes, and encodes it to the same bytes again."""
    name, payload = typed
    sent = ours.Message.new("s", name, payload).with_checksum()
    received = client.Message.unmarshal(sent.marshal())
    assert received.marshal() == sent.marshal()
    assert received.verify_checksum()
    value = received.decode()
    assert type(value).__name__ == type(payload).__name__
    again = client.Message.new("s", name, value)
    assert again.payload == bytes(sent.payload)
    assert ours.Message.unmarshal(again.marshal_with_checksum()).decode() == payload


@given(JSON, TEXT.filter(bool), TEXT.filter(bool))
def test_free_form_json_is_written_as_by_mist(client, value, source, message_type):
    """Any JSON value, source and type has the bytes that mist gives it, either way."""
    message = client.Message.new(source, message_type, value).with_checksum()
    assert message.payload == bytes(ours.Message.new(source, message_type, value).payload)
    received = ours.Message.unmarshal(message.marshal())
    assert received.verify_checksum()
    assert received.marshal() == message.marshal()
    if message_type not in OWN:
        assert equal(message.decode(), received.decode())


@pytest.mark.parametrize(
    "value",
    [
        '<>&\u2028\u2029\u0000\u001f\u007f\ufeff\n\t"\\/\U0001f389',
        [1.0, -0.0, 1e15, 1e16, -1.5e17, 1e21, 1.5e300, 5e-324],
        [0.001, 1e-4, 1e-5, -1e-5, 1.5e-5, -1.25e-5, 9.999e-5, 1e-6, 1e-7],
        [-(1 << 63), (1 << 63) - 1, (1 << 64) - 1, (1 << 53) + 1],
        {"": {}, "a": [[], {}], "b": (1, "x")},
    ],
)
def test_spellings_are_those_of_mist(client, value):
    """The characters that are escaped, and each form of a number, are spelled as by mist."""
    assert client.Message.new("s", "t", value).payload == bytes(
        ours.Message.new("s", "t", value).payload
    )


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_whatever_the_bytes_there_is_one_kind_of_error(client, text):
    """Reading raises ProtocolError or nothing, for the envelope and for a payload."""
    for read in (
        lambda: client.Message.unmarshal(text),
        lambda: client.Message.unmarshal(text.encode("utf-8", "replace")),
        client.Message("1", "a", "s", "infer.request", 0, text.encode("utf-8", "replace")).decode,
    ):
        with suppress(client.ProtocolError):
            read()


@given(JSON, JSON)
def test_a_wrong_payload_is_refused_by_both_or_by_none(client, model, messages):
    """The client takes a payload exactly when mist does, save integers beyond 64 bits."""
    payload = json.dumps({"model": model, "messages": messages}).encode()
    message = client.Message("1", "a", "s", "infer.request", 0, payload)
    try:
        expected = ours.Message.unmarshal(message.marshal()).decode()
    except ours.ProtocolError:
        with pytest.raises(client.ProtocolError, match=r"payload of infer.request: .* - at `\$"):
            message.decode()
    else:
        assert message.decode().to_json()["model"] == expected.model


def test_golden_messages(client, wire):
    """Every golden message is read, keeps its bytes and its checksum, and is decoded."""
    for record in wire:
        for form in ("wire", "wire_with_checksum"):
            message = client.Message.unmarshal(record[form])
            assert message.marshal().decode() == record[form]
            assert message.payload.decode() == record["payload"]
            assert message.with_checksum().checksum == record["checksum"]
            assert message.verify_checksum()
            expected = ours.Message.unmarshal(record[form]).decode()
            decoded = message.decode()
            if record["type"] in OWN:
                assert decoded == type(decoded).from_json(msgspec.to_builtins(expected))
            else:
                assert equal(decoded, expected)


def test_golden_envelopes_and_versions(client, golden):
    """The verdicts on envelopes and versions are mist-go's."""
    for line in (golden / "envelope.jsonl").read_bytes().splitlines():
        verdict = json.loads(line)
        if verdict["accept"]:
            message = client.Message.unmarshal(verdict["input"])
            assert message.payload.decode() == verdict["payload"]
            assert message.verify_checksum() is verdict["verify_checksum"]
        else:
            with pytest.raises(client.ProtocolError):
                client.Message.unmarshal(verdict["input"])
    for line in (golden / "version.jsonl").read_bytes().splitlines():
        verdict = json.loads(line)
        if "check" in verdict:
            assert client.is_compatible(verdict["check"]) is verdict["compatible"]
        elif verdict["ok"]:
            negotiated = client.negotiate_version(verdict["local"], verdict["remote"])
            assert negotiated == verdict["version"]
        else:
            with pytest.raises(client.UnsupportedVersion):
                client.negotiate_version(verdict["local"], verdict["remote"])


@pytest.mark.parametrize(
    "payload",
    [b"{}", b'{ "a" : 1 }', b"[1.0,1e+21]", b'"\\u003c<"', b"null", b'{"payload":{"payload":1}}'],
)
def test_payload_bytes_are_kept_as_they_came(client, payload):
    """White space, spelling and escapes of a payload survive; so does a payload inside it."""
    for wire in (
        b'{"payload":%s,"version":"1","id":"a","source":"s","type":"t"}' % payload,
        b'\n{"version":"1", "id":"a","source":"s","type":"t","payload":\t%s , "more":[{}]}\r\n'
        % payload,
    ):
        assert client.Message.unmarshal(wire).payload == payload
    lines = client.marshal_lines([client.Message("1", "a", "s", "t", 0, payload)])
    assert client.unmarshal_lines(lines)[0].payload == payload


def test_a_payload_on_several_lines_becomes_one_line(client):
    """Each line break becomes a space, and a checksum that was right stays right."""
    payload = b'{\n"a": 1\r\n}'
    message = client.Message("1", "a", "s", "t", 0, payload, zlib.crc32(payload))
    line = client.marshal_lines([message])
    assert line.count(b"\n") == 1
    assert line == ours.marshal_lines([ours.Message.unmarshal(message.marshal())])
    assert client.unmarshal_lines(line)[0].verify_checksum()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"a": [math.nan]}, "nan has no JSON form, pass None - at `$.a[0]`"),
        ({"a": -math.inf}, "-inf has no JSON form, pass None - at `$.a`"),
        ({"a": 1 << 64}, "an integer out of the 64-bit range, pass a string - at `$.a`"),
        (["\ud800"], "half a surrogate pair has no UTF-8 form - at `$[0]`"),
        ({1: 2}, "a key of type int has no JSON form, pass a string - at `$`"),
        ({"a": {1}}, "a set has no JSON form - at `$.a`"),
    ],
)
def test_what_has_no_json_form_is_refused_by_its_path(client, payload, reason):
    """Nothing is written as something else than was meant."""
    with pytest.raises(client.ProtocolError) as caught:
        client.Message.new("s", "t", payload)
    assert str(caught.value) == f"cannot encode payload: {reason}"


def test_a_value_that_does_not_fit_its_field_is_not_sent(client):
    """A payload is looked at before it goes, so that the receiver's error is the sender's."""
    request = client.InferRequest(messages=[client.ChatMessage("user", 7)])
    with pytest.raises(client.ProtocolError, match=r"got an integer - at `\$\.messages\[0\]\.con"):
        client.Message.new("s", "infer.request", request)


def test_a_value_that_contains_itself(client):
    """It is an error and not a crash; so is text that is nested too deeply."""
    loop = []
    loop.append(loop)
    with pytest.raises(client.ProtocolError, match="nested too deeply"):
        client.Message.new("s", "t", loop)
    deep = b"[" * 100_000 + b"]" * 100_000
    with pytest.raises(client.ProtocolError, match="nested too deeply"):
        client.Message.unmarshal(b'{"version":"1","payload":%s}' % deep)


def test_sizes_are_bounded(client):
    """A payload over the limit is refused where it is made and where it is read."""
    limit = client.MAX_MESSAGE_SIZE
    assert limit == ours.MAX_MESSAGE_SIZE
    with pytest.raises(client.MessageTooLarge, match=f"over the limit of {limit} bytes") as caught:
        client.Message.new("s", "t", "x" * limit)
    assert caught.value.size == limit + 2
    with pytest.raises(client.MessageTooLarge):
        client.Message.unmarshal(b" " * (limit + (65 << 10)))


def test_names_are_those_of_mist_protocol(client):
    """Who knows mist.protocol finds the same names here."""
    missing = set(ours.__all__) - set(client.__all__)
    declaring = {"payload_class", "payload_type", "payload_types", "PayloadTypeError"}
    assert missing == declaring, "a client has its payloads made"
    assert client.Source.MATCHSPEC == ours.Source.MATCHSPEC
    assert client.MessageType.INFER_REQUEST == ours.MessageType.INFER_REQUEST


def test_a_transport_that_lacks_a_method_is_not_made(client):
    """Who derives one is told at once what it lacks."""
    half = type("Half", (client.Transport,), {"send": print, "close": print})
    with pytest.raises(TypeError, match="receive"):
        half()


def test_the_file_is_for_python_3_8():
    """It parses with the grammar of 3.8, and imports nothing but the standard library."""
    tree = ast.parse(render("python")["mist_client.py"], feature_version=(3, 8))
    imports = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imports |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imports} <= set(sys.stdlib_module_names)


class Colour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


@dataclass
class Place:
    """Where."""

    shelf: str
    next: "Place | None" = None


class Limits(msgspec.Struct):
    """How much of it."""

    most: int = 9


class Order(msgspec.Struct, omit_defaults=True, rename="camel", forbid_unknown_fields=True):  # noqa: D101  # below
    __doc__ = 'An order \\ with """ quotes.\n\nAttributes:\n    order_id: Which.\n'

    note: str = "none"
    order_id: Annotated[int, msgspec.Meta(gt=0, le=100)] = 1
    code: Annotated[str, msgspec.Meta(min_length=2, max_length=4, pattern="^[a-z\"']+$")] = "ab"
    ratio: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.5
    colour: Colour = Colour.RED
    mode: Literal["fast", "exact"] = "fast"
    size: Literal[1, 2] = 2
    places: list[Place] = []
    by_name: dict[str, list[Place]] = {}
    maybe: str | None = "something"
    free: Any = None
    class_: str = msgspec.field(default="", name="class")
    tags: list[str] = msgspec.field(default_factory=lambda: ["a"])
    steps: tuple[int, ...] = (1, 2)
    limits: Limits = msgspec.field(default_factory=Limits)


@pytest.fixture
def acme(payload_types, load_client):  # noqa: ARG001  # what it registers is forgotten
    """The client of a protocol with a payload class of one's own."""
    ours.payload_type("acme.order")(Order)
    return load_client(describe(["acme.order"]))


class Note(msgspec.Struct):
    """Required fields that may be null, and one that may not."""

    name: str
    free: Any
    maybe: int | None


@pytest.mark.usefixtures("payload_types")
def test_a_required_field_may_be_null_if_its_type_is(load_client):
    """It must be there all the same."""
    ours.payload_type("acme.note")(Note)
    client = load_client(describe(["acme.note"]))
    assert client.Note.from_json({"name": "", "free": None, "maybe": None}) == client.Note(
        "", None, None
    )
    for missing in ({"name": "", "free": None}, {"name": None, "free": 1, "maybe": 1}):
        with pytest.raises(client.ProtocolError, match=r"missing member `(maybe|name)`"):
            client.Note.from_json(missing)
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(missing, Note)


@pytest.mark.usefixtures("payload_types")
def test_a_payload_without_members(load_client):
    """There is nothing to read of it, but an object it must be."""
    ours.payload_type("acme.stop")(msgspec.defstruct("Stop", []))
    client = load_client(describe(["acme.stop"]))
    assert client.Stop.from_json({"more": 1}) == client.Stop()
    assert client.Message.new("acme", "acme.stop", client.Stop()).payload == b"{}"
    with pytest.raises(client.ProtocolError, match="expected an object, got an array"):
        client.Stop.from_json([])


def test_defaults_are_each_payloads_own(acme):
    """What a payload lacks is as in mist, and changing it in one leaves the next alone."""
    for _ in range(2):
        order = acme.Order.from_json({"tags": []})
        assert (order.steps, order.limits, order.maybe) == ([1, 2], acme.Limits(9), "something")
        order.steps.append(3)
        order.limits.most = 0


ORDERS = [
    Order(tags=[]),
    Order("x", 100, "a'\"b", 1.0, Colour.BLUE, "exact", 1, [Place("a", Place("b"))], tags=["t"]),
    Order(by_name={"<k>": [Place("c")]}, maybe=None, free={"a": [1]}, class_="first", tags=[]),
    Order(tags=[], steps=(), limits=Limits(7)),
]


@pytest.mark.parametrize("order", ORDERS)
def test_a_payload_of_ones_own(acme, order):
    """All kinds of fields are read, checked and written as mist does."""
    sent = ours.Message.new("acme", "acme.order", order)
    received = acme.Message.unmarshal(sent.marshal()).decode()
    assert type(received) is acme.Order
    again = acme.Message.new("acme", acme.MessageType.ACME_ORDER, received)
    assert again.payload == bytes(sent.payload)
    assert ours.Message.unmarshal(again.marshal()).decode() == order


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"orderId": 0}, "expected an integer from 1 to 100 - at `$.orderId`"),
        ({"orderId": True}, "expected an integer, got a boolean - at `$.orderId`"),
        ({"orderId": 1.0}, "expected an integer, got a number - at `$.orderId`"),
        ({"code": "a"}, "expected 2 characters or more - at `$.code`"),
        ({"code": "abcde"}, "expected 4 characters or fewer - at `$.code`"),
        ({"code": "AB"}, "expected a string that matches '^[a-z\"\\']+$' - at `$.code`"),
        ({"ratio": 2}, "expected 1.0 or less - at `$.ratio`"),
        ({"ratio": -1}, "expected 0.0 or more - at `$.ratio`"),
        ({"colour": "green"}, "expected one of 'red', 'blue', got 'green' - at `$.colour`"),
        ({"size": True}, "expected one of 1, 2, got True - at `$.size`"),
        ({"places": [{}]}, "missing member `shelf` - at `$.places[0]`"),
        ({"byName": {"k": [{"shelf": 1}]}}, "expected a string, got an integer - at `$.byName.k[0].shelf`"),
        ({"places": [{"shelf": "a", "next": []}]}, "expected an object, got an array - at `$.places[0].next`"),
        ({"more": 1}, "unknown member 'more' - at `$`"),
        ({"tags": "a"}, "expected an array, got a string - at `$.tags`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_both(acme, members, reason):
    """Each constraint holds in the client as in mist; the client says which, and where."""
    members = {"tags": [], **members}
    message = acme.Message.new("acme", "acme.order", members)
    with pytest.raises(ours.ProtocolError):
        ours.Message.unmarshal(message.marshal()).decode()
    with pytest.raises(acme.ProtocolError) as caught:
        message.decode()
    assert str(caught.value) == f"payload of acme.order: {reason}"


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """A record without fields."""


class Defaults(msgspec.Struct, omit_defaults=True):
    """Defaults that are no plain values, or not within bounds."""

    code: Annotated[str, msgspec.Meta(min_length=2)] = ""
    free: Any = 0
    tags: list[str] | None = []
    nothing: Nothing | None = msgspec.field(default_factory=Nothing)


@pytest.mark.usefixtures("payload_types")
def test_defaults_of_every_kind(load_client):
    """A default may be out of bounds, or a list or a record that may be null as well."""
    Nothing.__doc__ = 'It says "nothing"'
    ours.payload_type("acme.nothing")(Nothing)
    ours.payload_type("acme.defaults")(Defaults)
    acme = load_client(describe(["acme.nothing", "acme.defaults"]))
    made = acme.Defaults()
    assert (made.code, made.tags, made.nothing) == ("", [], acme.Nothing())
    assert acme.Defaults.from_json({}) == made
    with pytest.raises(acme.ProtocolError, match="unknown member 'more'"):
        acme.Nothing.from_json({"more": 1})
    message = acme.Message.new("s", "acme.defaults", acme.Defaults(free=False))
    assert ours.Message.unmarshal(message.marshal()).decode() == Defaults(free=False)
    assert b'"free":false' in message.payload


@pytest.mark.usefixtures("payload_types")
@pytest.mark.parametrize(
    "name",
    ["Message", "HTTP", "Dict", "Literal", "Reader", "json", "overload", "_encode", "None", "T"],
)
def test_a_class_of_a_name_that_is_taken_is_refused(name):
    """A payload class may not hide what the client itself needs."""
    ours.payload_type("acme.x")(msgspec.defstruct(name, [("x", int)]))
    with pytest.raises(BindingsError, match=f"payload class {name} cannot be called so"):
        render("python", describe(["acme.x"]))


@pytest.mark.usefixtures("payload_types")
@pytest.mark.parametrize("name", ["list", "to_json", "dataclasses", "self"])
def test_a_field_of_a_name_that_is_taken_is_refused(name):
    """The error tells how to keep the key on the wire under another attribute."""
    ours.payload_type("acme.x")(msgspec.defstruct("X", [(name, int)]))
    with pytest.raises(BindingsError, match=rf'X\.{name} cannot .* msgspec.field\(name="{name}"\)'):
        render("python", describe(["acme.x"]))
