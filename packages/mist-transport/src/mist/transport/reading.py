"""Reading from any descriptor without ever blocking the event loop.

asyncio's own pipe reader refuses regular files, and makes a terminal that the shell shares
non-blocking. A thread that waits until there is something to read works for all of them.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from mist.protocol import Message
from mist.transport.daemon_thread import start_daemon
from mist.transport.errors import EndOfStream, TransportClosed, TransportError
from mist.transport.lines import LineParser
from mist.transport.readiness import is_readable

CHUNK_SIZE: Final = 256 << 10
"""How much is read at once, in bytes."""

_READ_AHEAD = 2
_FOLLOW_INTERVAL = 0.1
_STOPPING_TIME = 0.5


class Source(Protocol):
    """Something that bytes come from, on a thread that may wait."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...

    def close(self) -> object:
        """Release it."""
        ...


class ChunkReader:
    """Reads a source on a thread of its own, a few chunks ahead of the event loop.

    A chunk that a cancelled call waited for is given to the next call. A source that cannot be
    opened is tried again by the next call; one that fails while it is read, fails for good.
    """

    def __init__(self, open_source: Callable[[threading.Event], Source]) -> None:
        """Make a reader; the thread starts with the first call of `next_chunk`.

        Args:
            open_source: Called on the thread with an event that is set when reading should
                stop. What it raises, `next_chunk` raises.
        """
        self._open_source = open_source
        self._stop = threading.Event()
        self._places = threading.Semaphore(_READ_AHEAD)
        self._chunks: deque[bytes | Exception] = deque()
        self._arrival: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_open = False

    async def next_chunk(self) -> bytes | None:
        """Wait for the next chunk; empty at the end, and ever after.

        None says that another call has taken what came, which may hold something for this one too.

        Raises:
            TransportError: Code `validation`: the thread tells another event loop, perhaps that of
                the process which this one was forked from.
        """
        if self._arrival is None and not self._stop.is_set():
            arrival, loop = asyncio.Event(), asyncio.get_running_loop()
            # A daemon: a read that never returns must not keep the process alive.
            start_daemon(partial(self._run, loop, arrival), "mist-reader")
            self._arrival, self._loop = arrival, loop
        arrived = self._arrival
        if arrived is not None and not self._chunks:
            if self._loop is not asyncio.get_running_loop():
                raise TransportError(
                    "it is being read in another event loop, or by the process that forked this"
                    " one; make a transport for each",
                    code="validation",
                )
            await arrived.wait()
            arrived.clear()
            if not self._chunks:
                return None
        chunk = self._chunks[0]
        if isinstance(chunk, Exception):
            if not self._is_open and not self._stop.is_set():
                self._chunks.clear()
                self._arrival = None
            raise chunk
        if chunk:
            self._chunks.popleft()
            self._places.release()
        return chunk

    def close(self) -> None:
        """Read no more; what was read already can still be taken, then comes the end."""
        self._stop.set()
        self._places.release()
        if self._arrival is None:
            self._chunks.append(b"")
        else:
            # The thread sees to the end itself, unless it hangs in a call that cannot be ended.
            asyncio.get_running_loop().call_later(_STOPPING_TIME, self._abandon, self._arrival)

    def _abandon(self, arrival: asyncio.Event) -> None:
        self._chunks.append(b"")
        arrival.set()

    def _run(self, loop: asyncio.AbstractEventLoop, arrival: asyncio.Event) -> None:
        try:
            source = self._open_source(self._stop)
            self._is_open = True
            try:
                chunk = b"."
                while chunk:
                    self._places.acquire()
                    chunk = b"" if self._stop.is_set() else source.read(CHUNK_SIZE)
                    self._give(chunk, loop, arrival)
            finally:
                source.close()
        except Exception as exc:  # noqa: BLE001  # raised to whoever awaits the next chunk
            self._give(exc, loop, arrival)

    def _give(
        self, chunk: bytes | Exception, loop: asyncio.AbstractEventLoop, arrival: asyncio.Event
    ) -> None:
        self._chunks.append(chunk)
        try:
            loop.call_soon_threadsafe(arrival.set)
        except RuntimeError:
            self._stop.set()  # the loop is closed: nobody will ever read


class MessageReader:
    """The messages of a chunk reader: the receiving half of files and of standard input."""

    def __init__(self, chunks: ChunkReader, parser: LineParser) -> None:
        """Read messages from the lines in `chunks`."""
        self.parser = parser
        self._chunks = chunks
        self._at_end = False
        self._closed = False

    async def next_message(self) -> Message:
        """Wait for the next message.

        Raises:
            EndOfStream: The input has ended.
            TransportClosed: `close` was called, and what had been read was given out.
            ProtocolError: A line is not a message; the text names input and line.
            TransportError: The input cannot be opened or read.
        """
        while True:
            message = self.parser.next_message()
            if message is not None:
                return message
            if self._closed and self._at_end:
                raise TransportClosed(f"{self.parser.name} is closed")
            if self._at_end:
                raise EndOfStream(f"{self.parser.name} has no more messages")
            try:
                chunk = await self._chunks.next_chunk()
            except TransportError:
                raise
            except OSError as exc:
                raise TransportError.from_os_error(exc, f"cannot read {self.parser.name}") from exc
            if chunk is None:
                continue
            if chunk:
                self.parser.feed(chunk)
            else:
                self._at_end = True
                if not self._closed:  # else the rest of the line was merely not read
                    self.parser.end()

    def close(self) -> None:
        """Read no more; what was read already can still be taken, then `TransportClosed`."""
        self._closed = True
        self._chunks.close()


class DescriptorSource:
    """A pipe, terminal or file that may stay silent for ever, and can be stopped while it does."""

    def __init__(self, fd: int, stop: threading.Event, *, owned: bool) -> None:
        """Read from `fd` until `stop` is set.

        Args:
            fd: The descriptor.
            stop: Ends the reading.
            owned: Whether `close` closes the descriptor.
        """
        self._fd = fd
        self._stop = stop
        self._owned = owned

    def read(self, size: int, /) -> bytes:
        """Wait for bytes, and return what there is."""
        while not self._stop.is_set():
            # Between the two looks at `stop` lies the wait: what arrives after it is not ours.
            if is_readable(self._fd, _FOLLOW_INTERVAL) and not self._stop.is_set():
                # Who made it non-blocking may also have been faster.
                with suppress(BlockingIOError):
                    return os.read(self._fd, size)
        return b""

    def close(self) -> None:
        """Close the descriptor if it is ours."""
        if self._owned:
            os.close(self._fd)


class FollowingSource:
    """A growing file: at its end, waits for more; starts again when it was truncated."""

    def __init__(self, fd: int, stop: threading.Event) -> None:
        """Read from `fd`, which this object closes, until `stop` is set."""
        self._fd = fd
        self._stop = stop

    def read(self, size: int, /) -> bytes:
        """Wait until the file has grown, and return what was added."""
        while not self._stop.is_set():
            chunk = os.read(self._fd, size)
            if chunk:
                return chunk
            if os.fstat(self._fd).st_size < os.lseek(self._fd, 0, os.SEEK_CUR):
                os.lseek(self._fd, 0, os.SEEK_SET)
                return b"\n"  # ends the line that was cut off, if one was
            self._stop.wait(_FOLLOW_INTERVAL)
        return b""

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
