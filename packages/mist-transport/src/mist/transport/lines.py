"""From chunks of bytes to messages, one JSON line each: what files and pipes have in common."""

from collections import deque

from mist.protocol import (
    MAX_MESSAGE_SIZE,
    Message,
    MessageTooLarge,
    ProtocolError,
    marshal_lines,
)
from mist.protocol.limits import MAX_ENVELOPE_SIZE

_NEWLINE = ord("\n")


def marshal_line(message: Message) -> bytes:
    """Return a message as one line, with its newline, for a file or a pipe.

    Raises:
        MessageTooLarge: The payload is over the limit that every reader has.
    """
    line = message.marshal()
    if len(line) > MAX_MESSAGE_SIZE and len(message.payload) > MAX_MESSAGE_SIZE:
        raise MessageTooLarge(len(message.payload), MAX_MESSAGE_SIZE, "payload")
    # A payload that its sender spread over several lines is the rare case.
    return marshal_lines((message,)) if _NEWLINE in line else line + b"\n"


class LineParser:
    r"""Takes chunks as they come and gives messages; it does no input or output itself.

    `\n` and `\r\n` end a line, and blank lines are skipped. Memory is bounded: of a line over
    the size limit no more than the limit is held.
    """

    def __init__(self, name: str, max_size: int = MAX_ENVELOPE_SIZE) -> None:
        """Make a parser at the start of its input.

        Args:
            name: What errors call the input, such as a path.
            max_size: The longest line to accept, in bytes.
        """
        self.name = name
        self.max_size = max_size
        self.line_number = 0
        """The line that `next_message` looked at last, counted from 1."""
        # None stands for a line that was too long to keep; its size is in `_dropped`.
        self._lines: deque[bytes | None] = deque()
        self._dropped: deque[int] = deque()
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._torn = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the input."""
        first, *rest = chunk.split(b"\n")
        self._extend_tail(first)
        if rest:
            self._end_line()
            tail = rest.pop()
            if len(chunk) > self.max_size:
                self._lines.extend([self._kept(line) for line in rest])
            else:
                self._lines.extend(rest)
            self._extend_tail(tail)

    def end(self) -> None:
        """Say that the input has ended, with or without a newline."""
        if self._tail_size:
            self._end_line()
            self._torn = True

    def next_message(self) -> Message | None:
        """Return the next message, or None where more input is needed to find one.

        Raises:
            ProtocolError: The line is not a message; the text names input and line. The call
                after it goes on with the next line.
            MessageTooLarge: The line is over the limit.
        """
        lines = self._lines
        while lines:
            line = lines.popleft()
            self.line_number += 1
            if line is None:
                size = self._dropped.popleft()
                raise MessageTooLarge(size, MAX_MESSAGE_SIZE, f"{self._place()}: message")
            try:
                return Message.unmarshal(line)
            except MessageTooLarge as exc:
                raise MessageTooLarge(exc.size, exc.limit, f"{self._place()}: {exc.what}") from exc
            except ProtocolError as exc:
                if not line or line.isspace():
                    continue
                torn = ", the input ends inside this line" if self._torn and not lines else ""
                raise ProtocolError(f"{self._place()}: {exc}{torn}") from exc
        return None

    def _place(self) -> str:
        return f"{self.name}:{self.line_number}"

    def _extend_tail(self, piece: bytes) -> None:
        self._tail_size += len(piece)
        if self._tail_size > self.max_size:
            self._tail.clear()
        elif piece:
            self._tail.append(piece)

    def _kept(self, line: bytes) -> bytes | None:
        if len(line) <= self.max_size:
            return line
        self._dropped.append(len(line))
        return None

    def _end_line(self) -> None:
        if self._tail_size <= self.max_size:
            self._lines.append(b"".join(self._tail))
        else:
            self._lines.append(None)
            self._dropped.append(self._tail_size)
        self._tail.clear()
        self._tail_size = 0
