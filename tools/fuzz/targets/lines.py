r"""A batch of JSON lines is what each of its lines is, and survives being written again.

All lines are messages, or the error names the first that is none; blank lines and `\r\n` change
nothing; a written batch has one line a message, and right checksums stay right.
"""

from collections.abc import Iterator

from mist.protocol import Message, ProtocolError, marshal_lines, unmarshal_lines
from tools.fuzz import seeds as public
from tools.fuzz.json_reference import NotJsonError, loads

TOKENS = ("\n", "\r\n", '"payload":', '{"version":"1","id":"a","source":"s","type":"t"}')


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    expected, bad = _one_by_one(data)
    try:
        messages = unmarshal_lines(data)
    except ProtocolError as exc:
        assert bad, f"refused, and every line alone is a message: {exc}"
        assert str(exc).startswith(f"line {bad}: ")
        return
    assert not bad, f"accepted, and line {bad} alone is no message"
    assert messages == expected
    written = marshal_lines(messages)
    assert written.count(b"\n") == len(messages)
    again = unmarshal_lines(written)
    assert unmarshal_lines(written.replace(b"\n", b"\r\n\r\n")) == again
    for before, after in zip(messages, again, strict=True):
        assert before.id == after.id
        assert before.verify_checksum() == after.verify_checksum()
        assert _value(before) == _value(after)


def seeds() -> Iterator[bytes]:
    """Give mist-go's stream, in small batches, and some that break their lines oddly."""
    lines = public.golden_bytes("stream.jsonl").splitlines(keepends=True)[:60]
    yield from (b"".join(lines[at : at + 3]) for at in range(0, len(lines), 3))
    one = Message("1", "a", "s", "t").with_checksum().marshal()
    yield one + b"\r\n\n \t\r\n" + one
    yield b'{"version":"1","id":"a","source":"s","type":"t","payload":[1,\r2]}\n'


def _one_by_one(data: bytes) -> tuple[list[Message], int]:
    """Return the messages, and the number of the first line that is none, or 0."""
    messages: list[Message] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                messages.append(Message.unmarshal(line))
            except ProtocolError:
                return messages, number
    return messages, 0


def _value(message: Message) -> object:
    try:
        return repr(loads(bytes(message.payload)))
    except NotJsonError:
        return bytes(message.payload)
