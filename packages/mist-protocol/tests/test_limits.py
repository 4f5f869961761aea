"""Hostile sizes and depths are refused, before they cost anything."""

import pytest
from msgspec import Raw

from mist.protocol import (
    MAX_MESSAGE_SIZE,
    InferRequest,
    Message,
    MessageTooLarge,
    ProtocolError,
    unmarshal_lines,
)


def of_size(size):
    """A payload of exactly that many bytes of JSON."""
    return "x" * (size - 2)


@pytest.fixture(scope="module")
def largest():
    """A message of exactly the largest payload."""
    return Message.new("s", "t", of_size(MAX_MESSAGE_SIZE))


@pytest.fixture(scope="module")
def too_large():
    """A message put together with a payload of one byte more."""
    payload = Raw(b'"' + b"x" * (MAX_MESSAGE_SIZE - 1) + b'"')
    return Message("1", "a", "s", "t", 0, payload)


def test_a_payload_of_the_limit_passes(largest):
    """Exactly 10 MiB of payload is made, written, read and validated."""
    assert len(largest.payload) == MAX_MESSAGE_SIZE == 10 << 20
    largest.validate()
    assert Message.unmarshal(largest.marshal()) == largest
    assert Message.unmarshal(largest.marshal_with_checksum()).verify_checksum()
    assert unmarshal_lines(largest.marshal() + b"\n") == [largest]


def test_a_payload_over_the_limit_is_not_made():
    """`new` refuses a payload of one byte more."""
    with pytest.raises(
        MessageTooLarge, match="payload of 10485761 bytes is over the limit of"
    ) as e:
        Message.new("s", "t", of_size(MAX_MESSAGE_SIZE + 1))
    assert (e.value.size, e.value.limit, e.value.code) == (10485761, 10485760, "protocol")


def test_a_payload_over_the_limit_is_not_valid(too_large):
    """`validate` refuses a payload of one byte more."""
    with pytest.raises(MessageTooLarge, match="payload of 10485761 bytes"):
        too_large.validate()


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, bytes.decode])
def test_a_payload_over_the_limit_is_not_read(too_large, form):
    """`unmarshal` refuses a payload of one byte more, in whatever form it comes."""
    with pytest.raises(MessageTooLarge, match="payload of 10485761 bytes"):
        Message.unmarshal(form(too_large.marshal()))


def test_a_line_over_the_limit_names_its_number(too_large, largest):
    """The error of a large line is still a MessageTooLarge, and says which line."""
    lines = largest.marshal() + b"\n" + too_large.marshal()
    with pytest.raises(MessageTooLarge, match="line 2: payload of 10485761 bytes"):
        unmarshal_lines(lines)


def test_huge_data_is_refused_unread():
    """What is over the limit is refused for its size, though it is not even JSON."""
    huge = b"\0" * (64 << 20)
    for data in (huge, memoryview(huge), bytearray(huge), huge.decode()):
        with pytest.raises(MessageTooLarge, match="message of 67108864 bytes is over the limit"):
            Message.unmarshal(data)


def test_an_unknown_key_does_not_make_room(largest):
    """An envelope swollen by a key that nobody reads is refused by its whole size."""
    swollen = largest.marshal()[:-1] + b',"extra":"' + b"x" * (1 << 20) + b'"}'
    with pytest.raises(MessageTooLarge, match="message of"):
        Message.unmarshal(swollen)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("place", ["payload", "unknown", "whole", "unclosed"])
def test_100000_brackets_are_refused_without_a_crash(opening, place):
    """Nesting that would exhaust the stack is a ProtocolError, wherever it stands."""
    closing = opening.translate(bytes.maketrans(b"[{", b"]}"), b'"a:')[::-1]
    deep = opening * 100_000 + b"1" + closing * 100_000
    head = b'{"version":"1","id":"a","source":"s","type":"infer.request",'
    data = {
        "payload": head + b'"payload":' + deep + b"}",
        "unknown": head + b'"zz":' + deep + b"}",
        "whole": deep,
        "unclosed": opening * 100_000,
    }[place]
    with pytest.raises(ProtocolError):
        Message.unmarshal(data)
    with pytest.raises(ProtocolError, match="line 1"):
        unmarshal_lines(data)
    message = Message("1", "a", "s", "t", 0, Raw(deep))
    for target in (None, InferRequest, list, dict):
        with pytest.raises(ProtocolError):
            message.decode(target)
    with pytest.raises(ProtocolError):
        message.validate()


def test_too_deep_says_so():
    """The error of nesting speaks of nesting."""
    deep = Raw(b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(ProtocolError, match="payload of t: JSON is nested too deeply"):
        Message("1", "a", "s", "t", 0, deep).decode()
