"""The envelope: how it is made, read, checked, copied and shown."""

import copy
import pickle
import time
import zlib
from enum import StrEnum

import msgspec
import pytest
from msgspec import Raw

from mist.protocol import (
    CURRENT_VERSION,
    HealthPing,
    Message,
    MessageType,
    ProtocolError,
    Source,
)

HEAD = '{"version":"1","id":"a","source":"s","type":"t"'


def envelope(**fields):
    """Return an envelope with further fields of JSON."""
    return HEAD + "".join(f',"{key}":{value}' for key, value in fields.items()) + "}"


class Tool(StrEnum):
    """A source of somebody's own."""

    MINE = "acme <tool>"


def test_a_new_message_carries_version_and_time():
    """`new` fills in the current version and the time in nanoseconds, and no checksum."""
    before = time.time_ns()
    message = Message.new("acme", "acme.order", {"n": 1})
    assert before <= message.timestamp_ns <= time.time_ns()
    assert message.version == CURRENT_VERSION == "1"
    assert (message.source, message.type) == ("acme", "acme.order")
    assert (bytes(message.payload), message.checksum) == (b'{"n":1}', 0)
    message.validate()


def test_fields_are_written_in_gos_order():
    """The envelope's keys stand in the order of the wire format, the checksum last."""
    message = Message("1", "a", "s", "t", 5, Raw(b"[1]"))
    expected = b'{"version":"1","id":"a","source":"s","type":"t","timestamp_ns":5,"payload":[1]'
    assert message.marshal() == expected + b"}"
    assert message.marshal_with_checksum() == expected + b',"checksum":%d}' % zlib.crc32(b"[1]")


def test_enums_are_written_as_their_values():
    """A source or type given as an enum's member is written, compared and shown as its text."""
    message = Message.new(Source.MATCHSPEC, MessageType.HEALTH_PING, HealthPing("x"))
    assert b'"source":"matchspec","type":"health.ping"' in message.marshal()
    assert Message.unmarshal(message.marshal()) == message
    assert message.decode() == HealthPing("x")
    assert "source='matchspec', type='health.ping'" in repr(message)
    own = Message.new(Tool.MINE, "t", None)
    assert Message.unmarshal(own.marshal()).source == "acme <tool>"


@pytest.mark.parametrize(("source", "kind"), [("", "t"), ("s", ""), ("", "")])
def test_new_wants_source_and_type(source, kind):
    """`new` refuses an empty source or type, by its name."""
    missing = "type" if source else "source"
    with pytest.raises(ProtocolError, match=f"missing {missing}: expected a non-empty string"):
        Message.new(source, kind, {})


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, bytes.decode])
def test_every_kind_of_buffer_is_read(form):
    """Bytes, bytearrays, views and strings are read alike."""
    wire = Message.new("sé", "t", "<é>").marshal()
    assert Message.unmarshal(form(wire)).marshal() == wire


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("timestamp_ns", "9223372036854775807", (1 << 63) - 1),
        ("timestamp_ns", "-9223372036854775808", -(1 << 63)),
        ("timestamp_ns", "null", 0),
        ("checksum", "4294967295", (1 << 32) - 1),
        ("checksum", "null", 0),
        ("checksum", "0", 0),
    ],
)
def test_numbers_are_read_to_gos_limits(field, value, expected):
    """Integers are exact to the limits of Go's types, and null is zero."""
    assert getattr(Message.unmarshal(envelope(**{field: value})), field) == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (envelope(timestamp_ns="9223372036854775808"), r"<= 9223372036854775807 - at `\$.times"),
        (envelope(timestamp_ns="-9223372036854775809"), r">= -9223372036854775808 - at `\$.time"),
        (envelope(timestamp_ns='"1"'), r"Expected `int`, got `str` - at `\$.timestamp_ns`"),
        (envelope(timestamp_ns="1.5"), r"Expected `int`, got `float` - at `\$.timestamp_ns`"),
        (envelope(timestamp_ns="1.0"), r"Expected `int`, got `float` - at `\$.timestamp_ns`"),
        (envelope(timestamp_ns="true"), r"Expected `int`, got `bool` - at `\$.timestamp_ns`"),
        (envelope(checksum="4294967296"), r"<= 4294967295 - at `\$.checksum`"),
        (envelope(checksum="-1"), r">= 0 - at `\$.checksum`"),
        (HEAD.replace('"1"', "1") + "}", r"Expected `str`, got `int` - at `\$.version`"),
        (HEAD.replace('"a"', "null") + "}", "missing id: expected a non-empty string"),
        (HEAD.replace('"a"', '""') + "}", "missing id: expected a non-empty string"),
        ("[]", "Expected `object`, got `array`"),
        (HEAD, "truncated"),
        ("", "^not a message: it is empty$"),
        (" \n", "it is empty"),
        (HEAD + "} x", "trailing characters"),
        ("\ufeff" + envelope(), "malformed"),
        ('{"id": "\ud800"}', "surrogates not allowed"),
    ],
)
def test_an_unreadable_envelope_says_where_and_why(data, reason):
    """What is wrong with an envelope is said in one line, with the path of the field."""
    with pytest.raises(ProtocolError, match=reason) as caught:
        Message.unmarshal(data)
    assert "\n" not in str(caught.value)
    assert "null" not in str(caught.value)


def test_keys_are_matched_by_case_and_the_last_of_two_counts():
    """Unlike in Go, `Version` is not `version`; like in Go, the last of two equal keys counts."""
    with pytest.raises(ProtocolError, match="missing version"):
        Message.unmarshal(envelope().replace("version", "Version"))
    assert Message.unmarshal(envelope(id='"b"', payload="1")).id == "b"


def test_an_escaped_lone_surrogate_is_refused():
    """JSON that escapes half of a character is refused, where Go would replace it."""
    with pytest.raises(ProtocolError, match="not a message"):
        Message.unmarshal(envelope(payload=r'"\ud800"'))
    assert Message.unmarshal(envelope(payload=r'"\ud83c\udf89"')).decode() == "\U0001f389"


def test_invalid_utf8_in_a_payload_is_relayed_and_not_decoded():
    """A payload is not looked into on its way: bytes that are not UTF-8 fail where it is read."""
    message = Message.unmarshal(envelope(payload='"?"').encode().replace(b"?", b"\xff"))
    assert b'"\xff"' in message.marshal()
    with pytest.raises(ProtocolError, match="payload of t: 'utf-8' codec"):
        message.decode()


def test_an_absent_payload_stays_absent():
    """A message without payload is written without one, also after a copy or a pickle."""
    message = Message.unmarshal(envelope())
    expected = b'{"version":"1","id":"a","source":"s","type":"t","timestamp_ns":0}'
    for same in (message, copy.copy(message), copy.deepcopy(message), pickled(message)):
        assert len(same.payload) == 0
        assert same.marshal() == same.marshal_with_checksum() == expected
        same.validate()
        assert same.verify_checksum()
    with pytest.raises(ProtocolError, match="payload of t: there is none"):
        message.decode()


def pickled(message):
    """Return a message that went through pickle."""
    return pickle.loads(pickle.dumps(message))


def test_messages_are_values():
    """Copies and pickles are equal, equal messages hash alike, and none can be changed."""
    message = Message.new(Source.MATCHSPEC, MessageType.HEALTH_PING, {"<": 1}).with_checksum()
    for same in (copy.copy(message), copy.deepcopy(message), pickled(message)):
        assert same == message
        assert hash(same) == hash(message)
        assert same.marshal() == message.marshal()
    assert {message, pickled(message)} == {message}
    for name in Message.__struct_fields__:
        other = msgspec.structs.replace(message, **{name: Raw(b"0") if name == "payload" else "0"})
        assert other != message
        with pytest.raises(AttributeError):
            setattr(message, name, "x")
    assert message != message.marshal()


def test_a_checksum_is_of_the_payloads_bytes():
    """`with_checksum` copies, and `verify_checksum` notices every changed bit."""
    message = Message.new("s", "t", {"n": 1})
    checked = message.with_checksum()
    assert (message.checksum, checked.checksum) == (0, zlib.crc32(b'{"n":1}'))
    assert msgspec.structs.replace(checked, checksum=0) == message
    assert message.verify_checksum()
    assert checked.verify_checksum()
    for bit in range(32):
        assert not msgspec.structs.replace(
            checked, checksum=checked.checksum ^ 1 << bit
        ).verify_checksum()
    assert not msgspec.structs.replace(checked, payload=Raw(b'{"n":2}')).verify_checksum()


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("version", "", "missing version: expected a non-empty string, got ''"),
        ("id", None, "missing id: expected a non-empty string, got NoneType"),
        ("source", 5, "missing source: expected a non-empty string, got int"),
        ("type", "", "missing type: expected a non-empty string, got ''"),
        ("source", "\ud800", r"a lone surrogate has no UTF-8 form - at `\$\.source`"),
        ("timestamp_ns", 1 << 63, "<= 9223372036854775807"),
        ("timestamp_ns", "now", r"Expected `int`, got `str` - at `\$\.timestamp_ns`"),
        ("timestamp_ns", object(), r"unsupported - at `\$\.timestamp_ns`"),
        ("payload", {"n": 1}, "expected a msgspec.Raw of JSON, got dict; Message.new encodes"),
        ("payload", 5, "expected a msgspec.Raw of JSON, got int"),
        ("payload", b"{}", "expected a msgspec.Raw of JSON, got bytes"),
        ("payload", Raw(b"{"), "not a message"),
        ("payload", Raw(b""), "not a message"),
        ("payload", Raw(b'1,"id":"b"}'), "not a message"),
        ("checksum", -1, ">= 0"),
        ("checksum", 1 << 32, "<= 4294967295"),
    ],
)
def test_validate_names_what_is_wrong(field, value, reason):
    """A message put together by hand is refused by the field that is wrong."""
    message = Message("1", "a", "s", "t", 1, Raw(b"{}"), 2)
    message.validate()
    with pytest.raises(ProtocolError, match=reason):
        msgspec.structs.replace(message, **{field: value}).validate()


@pytest.mark.parametrize("field", ["source", "timestamp_ns", "payload"])
def test_marshal_raises_nothing_but_protocol_errors(field):
    """A field without JSON form is refused by its path when the message is written."""
    message = msgspec.structs.replace(Message.new("s", "t", 1), **{field: object()})
    with pytest.raises(ProtocolError, match=rf"cannot encode message: .* - at `\$\.{field}`"):
        message.marshal()


def test_the_repr_shows_the_payload():
    """The repr tells every field, and the payload as text."""
    assert repr(Message("1", "a", "s", "t", 5, Raw(b'{"n":1}'), 7)) == (
        "Message(version='1', id='a', source='s', type='t', timestamp_ns=5,"
        " payload=b'{\"n\":1}', checksum=7)"
    )


def test_the_repr_is_bounded():
    """The repr of a message of megabytes is a few hundred characters."""
    long = "x" * (1 << 20)
    message = Message(long, long, long, long, 5, Raw(long.encode()), 7)
    assert len(repr(message)) < 1000
    assert repr(message).count("...") == 5
