"""Messages on standard input and output, one JSON line each: a tool in a shell pipeline."""

import contextlib
import os
import sys
from typing import Final

from mist.protocol import Message
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.interface import Conversation
from mist.transport.lines import LineParser, marshal_line
from mist.transport.reading import ChunkReader, DescriptorSource, MessageReader
from mist.transport.writing import PipeWriter

_STDIN: Final = 0
_STDOUT: Final = 1
_STDERR: Final = 2


class Stdio(Conversation):
    """Receives from standard input and sends to standard output.

    Pipes, regular files and terminals all work. While it is open, nothing but messages reaches
    standard output: what the program prints goes to standard error.
    """

    def __init__(self, stdin: int | None = None, stdout: int | None = None) -> None:
        """Take standard input and output, or other descriptors.

        Args:
            stdin: The descriptor to receive from; it stays its owner's.
            stdout: The descriptor to send to; it stays its owner's.

        Raises:
            TransportError: Standard output is closed, or another `Stdio` holds it.
        """
        source = _STDIN if stdin is None else stdin
        name = "stdin" if stdin is None else f"descriptor {stdin}"
        self._reader = MessageReader(
            ChunkReader(lambda stop: DescriptorSource(source, stop, owned=False)), LineParser(name)
        )
        self._stdout = _ClaimedStdout() if stdout is None else None
        self._writer = PipeWriter(
            self._stdout.fd if self._stdout else stdout if stdout is not None else _STDOUT,
            "stdout" if stdout is None else f"descriptor {stdout}",
        )
        self._closed = False

    async def send(self, message: Message) -> None:
        """Write a message, waiting while the reader of the pipe is slow.

        A call that is cancelled while its message is being written leaves it whole.

        Raises:
            TransportClosed: The reader has closed its end.
            TransportError: Writing failed, for instance on a full disk.
            MessageTooLarge: The payload is over the limit.
        """
        if self._closed:
            raise TransportClosed("stdio is closed")
        await self._writer.write(marshal_line(message))

    async def receive(self) -> Message:
        """Read the next message.

        Raises:
            EndOfStream: Standard input has ended.
            ProtocolError: A line is not a message; the text names the line.
        """
        return await self._reader.next_message()

    async def close(self) -> None:
        """Give standard output back; standard input and the descriptors stay open.

        Sends that wait for the reader of the pipe have a few seconds, then `TransportClosed`.
        What was read already can still be received.
        """
        if self._closed:
            return
        self._closed = True
        self._reader.close()
        idle = await self._writer.close()
        if self._stdout is not None:
            self._stdout.release(close=idle)


class _ClaimedStdout:
    """Keeps standard output for messages, and sends what else is printed to standard error."""

    _claimed = False

    def __init__(self) -> None:
        if _ClaimedStdout._claimed:
            raise TransportError(
                "stdio is in use by another transport of this process; close it first",
                code="conflict",
            )
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        try:
            self.fd = _duplicate(_STDOUT)
        except OSError as exc:
            raise TransportError.from_os_error(exc, "cannot use standard output") from exc
        try:
            os.dup2(_STDERR, _STDOUT)
        except OSError:  # standard error is closed
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDOUT)
            os.close(nowhere)
        _ClaimedStdout._claimed = True

    def release(self, *, close: bool) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        os.dup2(self.fd, _STDOUT)
        if close:
            os.close(self.fd)
        _ClaimedStdout._claimed = False


def _duplicate(fd: int) -> int:
    """Duplicate a descriptor to a number above the standard ones, also where those are free."""
    if sys.platform == "win32":
        return os.dup(fd)
    import fcntl  # noqa: PLC0415  # POSIX has it, Windows has not

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _STDERR + 1)
