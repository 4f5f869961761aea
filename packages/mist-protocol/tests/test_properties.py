"""Properties that hold for any payload and for any bytes."""

import json
import math
import zlib

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import example, given
from msgspec import Raw

from mist.protocol import (
    Message,
    MessageType,
    ProtocolError,
    marshal_lines,
    payload_class,
    unmarshal_lines,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
    | st.sampled_from(["<>&", "\u2028\u2029", "", "\0", '"\\/', "\U0001f389"])
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)
names = st.text(st.characters(codec="utf-8"), min_size=1)


@given(source=names, kind=names, payload=json_values)
def test_any_payload_makes_the_round_trip(source, kind, payload):
    """What is marshalled is unmarshalled equal, with and without checksum, alone or in lines."""
    message = Message.new(source, kind, payload)
    message.validate()
    assert Message.unmarshal(message.marshal()) == message
    checked = Message.unmarshal(message.marshal_with_checksum())
    assert checked == message.with_checksum()
    assert checked.verify_checksum()
    assert checked.checksum == zlib.crc32(message.payload)
    assert unmarshal_lines(marshal_lines([message, checked])) == [message, checked]
    if kind not in list(MessageType):
        assert message.decode() == payload


@given(payload=json_values)
def test_any_payload_is_json_to_everybody(payload):
    """The standard library reads the payload as the value that was given."""
    assert json.loads(bytes(Message.new("s", "t", payload).payload)) == payload


@given(payload=json_values)
def test_any_checksum_survives_a_relay(payload, relay):
    """A peer that re-encodes the payload, once or often, leaves its bytes and checksum as is."""
    message = Message.new("s", "t", payload).with_checksum()
    relayed = relay(relay(message.marshal()))
    assert Message.unmarshal(relayed).payload == message.payload
    assert Message.unmarshal(relayed).verify_checksum()


@given(payload=json_values, spacing=st.sampled_from([None, 0, 2]))
def test_received_bytes_are_kept(payload, spacing):
    """A payload spaced in any way is passed on to the byte."""
    raw = json.dumps(payload, indent=spacing, ensure_ascii=False).encode()
    wire = b'{"version":"1","id":"a","source":"s","type":"t","payload":' + raw + b"}"
    message = Message.unmarshal(wire)
    assert bytes(message.payload) == raw
    assert message.marshal().endswith(b',"payload":' + raw + b"}")


@given(payload=json_values, spacing=st.sampled_from([None, 0, 2]), right=st.booleans())
def test_a_line_is_one_line(payload, spacing, right):
    """Lines hold one message each, however the payload was broken, checksum right or wrong."""
    raw = json.dumps(payload, indent=spacing).encode()
    checksum = zlib.crc32(raw) if right else zlib.crc32(raw) ^ 1
    message = Message("1", "a", "s", "t", 0, Raw(raw), checksum)
    lines = marshal_lines([message])
    assert lines.count(b"\n") == 1
    (again,) = unmarshal_lines(lines)
    assert again.verify_checksum() == (right or checksum == 0)
    assert again.decode() == message.decode()


unfaithful = st.sampled_from(
    [math.nan, math.inf, {1}, frozenset(), 1 << 64, -(1 << 63) - 1, "\ud800", object(), Raw(b"[")]
)


@st.composite
def with_one_fault(draw):
    """Return a payload with one bad value in it, and the path that leads there."""
    payload, path = draw(unfaithful), ""
    for _ in range(draw(st.integers(0, 8))):
        siblings = draw(st.lists(json_values, max_size=3))
        if draw(st.booleans()):
            at = draw(st.integers(0, len(siblings)))
            payload, path = [*siblings[:at], payload, *siblings[at:]], f"[{at}]{path}"
        else:
            fields = {f"k{i}": sibling for i, sibling in enumerate(siblings)}
            payload, path = {**fields, "bad": payload, "after": 1}, f".bad{path}"
    return payload, f"${path}"


@given(faulty=with_one_fault())
def test_an_unfaithful_value_is_found_anywhere(faulty):
    """A bad value at any place of any payload is refused by the path that leads to it."""
    payload, path = faulty
    with pytest.raises(ProtocolError) as caught:
        Message.new("s", "t", payload)
    assert str(caught.value).endswith(f" - at `{path}`")


def attempt_everything(data):
    """Read bytes in every way there is, each of which succeeds or raises ProtocolError."""
    for read in (Message.unmarshal, unmarshal_lines):
        try:
            found = read(data)
        except ProtocolError as exc:
            str(exc).encode()
            continue
        for message in found if isinstance(found, list) else [found]:
            decode_everything(message)
            assert Message.unmarshal(message.marshal()) == message


def decode_everything(message):
    """Decode a message to every class, each of which succeeds or raises ProtocolError."""
    targets = [payload_class(kind) for kind in MessageType]
    for target in (None, *targets, int, list[str], dict[str, int]):
        try:
            message.decode(target)
        except ProtocolError as exc:
            assert str(exc).startswith("payload of ")  # noqa: PT017  # it need not raise


@given(data=st.binary(max_size=300))
@example(b"")
@example(b"null")
@example(b"\xef\xbb\xbf{}")
def test_random_bytes_raise_nothing_but_protocol_errors(data):
    """No bytes, read as message or as lines, raise anything but ProtocolError."""
    attempt_everything(data)


fields = st.fixed_dictionaries(
    {},
    optional={
        "version": scalars | st.just("1"),
        "id": scalars | st.just("a"),
        "source": scalars | st.just("s"),
        "type": scalars | st.sampled_from([str(kind) for kind in MessageType]),
        "timestamp_ns": scalars,
        "payload": json_values,
        "checksum": scalars,
        "Version": scalars,
    },
)


@given(envelope=fields)
def test_wrong_fields_raise_nothing_but_protocol_errors(envelope):
    """No JSON object, whatever its fields hold, raises anything but ProtocolError."""
    attempt_everything(json.dumps(envelope).encode())


shapes = {
    str(kind): msgspec.to_builtins(payload_class(kind)()) | {"params": {}, "attrs": {}, "tags": {}}
    for kind in MessageType
}


@given(kind=st.sampled_from(sorted(shapes)), data=st.data())
def test_wrong_payload_fields_raise_nothing_but_protocol_errors(kind, data):
    """A registered payload with any of its fields wrong or null is decoded or refused."""
    shape = {key: data.draw(json_values | st.just(value)) for key, value in shapes[kind].items()}
    decode_everything(Message.new("s", kind, shape))


@given(data=st.data())
def test_damaged_messages_raise_nothing_but_protocol_errors(data):
    """A valid envelope with bytes changed, cut, doubled or put in is read or refused."""
    kind = data.draw(st.sampled_from(sorted(shapes)))
    wire = bytearray(Message.new("s", kind, shapes[kind]).marshal_with_checksum())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(wire)))
        end = data.draw(st.integers(at, min(len(wire), at + 20)))
        wire[at:end] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b"", b"null", b'"', b"\\", b"\\ud800", b"[", b"{}", b"-", b"1e999"])
            | st.just(bytes(wire[at:end] * 2))
        )
    attempt_everything(bytes(wire))
