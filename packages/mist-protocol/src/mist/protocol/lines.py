"""Several messages as JSON lines (NDJSON): one envelope a line."""

from collections.abc import Iterable

from mist.protocol.errors import ProtocolError
from mist.protocol.message import Message


def marshal_lines(messages: Iterable[Message]) -> bytes:
    """Return the messages as JSON lines, each ended by a newline."""
    return b"".join([message.marshal() + b"\n" for message in messages])


def unmarshal_lines(data: bytes | bytearray | memoryview) -> list[Message]:
    r"""Read messages from JSON lines; `\r\n` ends a line too, and blank lines are skipped.

    Each message owns its bytes, so that one kept for long does not keep the rest alive.

    Raises:
        ProtocolError: A line is not a message; the text names the line.
    """
    messages: list[Message] = []
    for number, line in enumerate(bytes(data).split(b"\n"), start=1):
        if not line or line.isspace():
            continue
        try:
            messages.append(Message.unmarshal(line))
        except ProtocolError as exc:
            raise ProtocolError(f"line {number}: {exc}") from exc
    return messages
