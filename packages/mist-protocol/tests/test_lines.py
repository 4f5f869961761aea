"""Several messages as JSON lines."""

import pytest
from msgspec import Raw

from mist.protocol import Message, ProtocolError, marshal_lines, unmarshal_lines


def three():
    """Return three messages with checksums."""
    return [Message.new("s", "t", n).with_checksum() for n in range(3)]


def test_each_message_is_a_line_that_ends():
    """Every message is one line, the last ends in a newline too, and none is nothing."""
    messages = three()
    assert marshal_lines(messages) == b"".join(m.marshal() + b"\n" for m in messages)
    assert marshal_lines(iter(messages)) == marshal_lines(messages)
    assert marshal_lines([]) == b""
    assert unmarshal_lines(b"") == []


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\n\n\n", b"\n \t\r\n"])
@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_every_line_ending_is_read(ending, form):
    """Both line endings and blank lines are accepted, with or without a last one."""
    messages = three()
    data = ending.join(m.marshal() for m in messages)
    assert unmarshal_lines(form(data)) == messages
    assert unmarshal_lines(form(data + ending)) == messages


def test_separators_inside_a_payload_end_no_line():
    """U+2028 and U+0085 inside a received payload do not end the line."""
    raw = '"\u2028\u2029\x85\x0b"'.replace("\x0b", "").encode()
    message = Message("1", "a", "s", "t", 0, Raw(raw))
    assert unmarshal_lines(marshal_lines([message, message])) == [message, message]


@pytest.mark.parametrize(
    "bad", [b"{", b"nope", b'{"version":"1"}', b"\xff", b'{"version":"1","id"']
)
def test_a_bad_line_is_named_by_its_number(bad):
    """An error tells the number of the line, blank lines counted."""
    good = three()[0].marshal()
    with pytest.raises(ProtocolError, match=r"^line 3: "):
        unmarshal_lines(good + b"\n\n" + bad + b"\n" + good)


def test_line_breaks_inside_a_payload_become_spaces():
    """A payload that a peer wrote over several lines is written on one, its checksum right."""
    raw = b'{\r\n  "n": 1,\n  "s": "a\\nb"\n}'
    message = Message("1", "a", "s", "t", 0, Raw(raw)).with_checksum()
    wire = message.marshal()
    assert wire.count(b"\n") == 3
    (again,) = unmarshal_lines(marshal_lines([Message.unmarshal(wire)]))
    assert bytes(again.payload) == raw.replace(b"\n", b" ")
    assert again.checksum != 0
    assert again.verify_checksum()
    assert again.decode() == message.decode() == {"n": 1, "s": "a\nb"}


def test_a_wrong_checksum_is_not_made_right():
    """Putting a payload on one line does not hide that it was damaged."""
    message = Message("1", "a", "s", "t", 0, Raw(b"[\n]"), 12345)
    (again,) = unmarshal_lines(marshal_lines([message]))
    assert again.checksum == 12345
    assert not again.verify_checksum()
