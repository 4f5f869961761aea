"""Several messages as JSON lines (NDJSON): one envelope a line."""

from collections.abc import Iterable

from msgspec import Raw
from msgspec.structs import replace

from mist.protocol.errors import MessageTooLarge, ProtocolError
from mist.protocol.message import Message

_NEWLINE = 10


def marshal_lines(messages: Iterable[Message]) -> bytes:
    """Return the messages as JSON lines, each ended by a newline.

    A payload keeps its bytes, unless its peer broke lines inside the JSON: each such line break
    becomes a space, and a checksum that was right stays right.

    Raises:
        ProtocolError: A field of a message that was set by hand has no JSON form.
    """
    return b"".join([_marshal_line(message) for message in messages])


def unmarshal_lines(data: bytes | bytearray | memoryview) -> list[Message]:
    r"""Read messages from JSON lines; `\r\n` ends a line too, and blank lines are skipped.

    Each message owns its bytes, so that one kept for long does not keep the rest alive.

    Raises:
        ProtocolError: A line is not a message; the text names the line.
        MessageTooLarge: A line is over the size limit; the text names the line.
    """
    messages: list[Message] = []
    for number, line in enumerate(bytes(data).split(b"\n"), start=1):
        if not line or line.isspace():
            continue
        try:
            messages.append(Message.unmarshal(line))
        except MessageTooLarge as exc:
            raise MessageTooLarge(exc.size, exc.limit, f"line {number}: {exc.what}") from exc
        except ProtocolError as exc:
            raise ProtocolError(f"line {number}: {exc}") from exc
    return messages


def _marshal_line(message: Message) -> bytes:
    line = message.marshal()
    if _NEWLINE in line:
        # JSON has none inside its strings, so it only spaces out the payload.
        unbroken = replace(message, payload=Raw(bytes(message.payload).replace(b"\n", b" ")))
        was_right = message.checksum != 0 and message.verify_checksum()
        line = (unbroken.with_checksum() if was_right else unbroken).marshal()
    return line + b"\n"
