"""Messages on standard input and output, one JSON line each: a tool in a shell pipeline."""

import asyncio
import contextlib
import os
import select
import stat
import sys
import threading
from collections import deque
from typing import Final

from mist.protocol import Message
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.interface import Conversation
from mist.transport.lines import LineParser, marshal_line
from mist.transport.reading import ChunkReader, DescriptorSource, MessageReader

_STDIN: Final = 0
_STDOUT: Final = 1
_STDERR: Final = 2

# What a pipe that reports itself writable takes without blocking (POSIX PIPE_BUF, at least 512).
_PIPE_BUF: Final = getattr(select, "PIPE_BUF", 512)

_CLOSING_TIME: Final = 5.0


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
        """Give standard output back; standard input and the descriptors stay open."""
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
            self.fd = os.dup(_STDOUT)
            os.dup2(_STDERR, _STDOUT)
        except OSError as exc:
            raise TransportError.from_os_error(exc, "cannot use standard output") from exc
        _ClaimedStdout._claimed = True

    def release(self, *, close: bool) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        os.dup2(self.fd, _STDOUT)
        if close:
            os.close(self.fd)
        _ClaimedStdout._claimed = False


class PipeWriter:
    """Writes to a descriptor that may block for as long as its reader likes.

    A write that would block happens on a thread. Making the descriptor non-blocking instead
    would change it for every process that shares it.
    """

    def __init__(self, fd: int, name: str) -> None:
        """Write to `fd`, which stays open; errors call it `name`."""
        self._fd = fd
        self._name = name
        try:
            self._is_regular = stat.S_ISREG(os.fstat(fd).st_mode)
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot write to {name}") from exc
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(fd, select.POLLOUT)
        self._queue: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def write(self, data: bytes) -> None:
        """Write all of `data`, in order with other calls.

        Raises:
            TransportClosed: The reader has closed its end.
            TransportError: Writing failed.
        """
        if self._closed:
            raise TransportClosed(f"{self._name} is closed")
        if self._worker is None and self._takes_at_once(len(data)):
            try:
                _write_all(self._fd, data)
            except OSError as exc:
                raise self._explain(exc) from exc
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((data, done))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        await done  # when cancelled before its turn, the worker passes it over

    async def close(self) -> bool:
        """Take no more, and give what has been begun a few seconds to be written.

        Returns:
            Whether the descriptor is no longer in use; a reader that neither reads nor goes
            away can hold a thread in its write for ever.
        """
        self._closed = True
        if self._worker is not None:
            await asyncio.wait({self._worker}, timeout=_CLOSING_TIME)
        return self._worker is None

    def _takes_at_once(self, size: int) -> bool:
        if self._is_regular:
            return True
        return size <= _PIPE_BUF and self._poll is not None and bool(self._poll.poll(0))

    async def _work(self) -> None:
        try:
            while self._queue:
                data, done = self._queue.popleft()
                if done.cancelled():
                    continue
                try:
                    await _on_thread(self._fd, data)
                except OSError as exc:
                    if not done.cancelled():
                        done.set_exception(self._explain(exc))
                else:
                    if not done.cancelled():
                        done.set_result(None)
        finally:
            self._worker = None

    def _explain(self, exc: OSError) -> TransportError:
        if isinstance(exc, BrokenPipeError):
            closed = TransportClosed(f"the reader of {self._name} has closed its end")
            closed.errno, closed.__cause__ = exc.errno, exc
            return closed
        return TransportError.from_os_error(exc, f"cannot write to {self._name}")


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


async def _on_thread(fd: int, data: bytes) -> None:
    """Write on a daemon thread: an executor's would keep a process with a stuck reader alive."""
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[None] = loop.create_future()

    def settle(exc: OSError | None) -> None:
        if finished.done():
            return
        if exc is None:
            finished.set_result(None)
        else:
            finished.set_exception(exc)

    def run() -> None:
        failure: OSError | None = None
        try:
            _write_all(fd, data)
        except OSError as exc:
            failure = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, failure)

    threading.Thread(target=run, name="mist-writer", daemon=True).start()
    await finished
