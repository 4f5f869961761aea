"""Writing to a descriptor that may block, without ever blocking the event loop."""

import asyncio
import os
import select
import stat
import sys
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Final

from mist.transport.daemon_thread import on_daemon_thread
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.readiness import is_writable

# What a pipe that reports itself writable takes without blocking (POSIX PIPE_BUF, at least 512).
_PIPE_BUF: Final = getattr(select, "PIPE_BUF", 512)
_CLOSING_TIME: Final = 5.0
_LOOK_INTERVAL: Final = 1.0


@dataclass(slots=True)
class _Write:
    """What is still to be written of one message."""

    data: bytes
    done: asyncio.Future[None]
    begun: bool


class PipeWriter:
    """Writes to a descriptor that may block for as long as its reader likes.

    A write that would block happens on a thread. Making the descriptor non-blocking instead
    would change it for every process that shares it; where another has done so, that is borne.
    """

    def __init__(self, fd: int, name: str) -> None:
        """Write to `fd`, which stays open; errors call it `name`."""
        self.fd = fd
        self._name = name
        try:
            self._is_regular = stat.S_ISREG(os.fstat(fd).st_mode)
            # Whether the last line may have been written in part, so that a new one must begin.
            self._torn = self._is_regular and not _begins_line(fd)
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot write to {name}") from exc
        self._queue: deque[_Write] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def write(self, data: bytes) -> None:
        """Write `data`, a line or several, in order with other calls.

        A call that is cancelled before its turn writes nothing, one cancelled later everything.

        Raises:
            TransportClosed: The reader has closed its end, or this writer was closed.
            TransportError: Writing failed.
        """
        if self._closed:
            raise TransportClosed(f"{self._name} is closed")
        rest = data
        if self._worker is None and not self._torn and self._takes_at_once(len(data)):
            rest = data[self._write_now(data) :]
            if not rest:
                return
        done = asyncio.get_running_loop().create_future()
        self._queue.append(_Write(rest, done, begun=len(rest) < len(data)))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        await done

    async def close(self) -> bool:
        """Take no more, and give what waits to be written a few seconds.

        Returns:
            Whether the descriptor is no longer in use; a reader that neither reads nor goes
            away can hold a thread in its write for ever.
        """
        self._closed = True
        if self._worker is not None:
            await asyncio.wait({self._worker}, timeout=_CLOSING_TIME)
        for write in self._queue:
            if not write.done.done():
                write.done.set_exception(
                    TransportClosed(f"{self._name} was closed before its reader took the message")
                )
        return self._worker is None

    def _takes_at_once(self, size: int) -> bool:
        return self._is_regular or (size <= _PIPE_BUF and is_writable(self.fd, 0))

    def _write_now(self, data: bytes) -> int:
        """Write what there is room for, and return how much that was."""
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise self._explain(exc) from exc

    async def _work(self) -> None:
        try:
            while self._queue:
                write = self._queue[0]
                # What has begun is finished whoever waits: half a line would spoil the next.
                if write.begun or not write.done.done():
                    if self._torn and not write.begun:
                        write.data = b"\n" + write.data
                    write.begun = True
                    await self._finish(write)
                self._queue.popleft()
        finally:
            self._worker = None

    async def _finish(self, write: _Write) -> None:
        try:
            await on_daemon_thread("mist-writer", partial(_write_all, self.fd, write.data))
        except Exception as exc:  # noqa: BLE001  # out of memory, say: whoever waits is told
            self._torn = True
            if not write.done.done():
                write.done.set_exception(self._explain(exc) if isinstance(exc, OSError) else exc)
        else:
            self._torn = False
            if not write.done.done():
                write.done.set_result(None)

    def _explain(self, exc: OSError) -> TransportError:
        if isinstance(exc, BrokenPipeError):
            closed = TransportClosed(f"the reader of {self._name} has closed its end")
            closed.errno, closed.__cause__ = exc.errno, exc
            return closed
        return TransportError.from_os_error(exc, f"cannot write to {self._name}")


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            is_writable(fd, _LOOK_INTERVAL)


def _begins_line(fd: int) -> bool:
    """Tell whether what is written to a regular file next stands at the start of a line."""
    position = os.fstat(fd).st_size if _appends(fd) else os.lseek(fd, 0, os.SEEK_CUR)
    if not position:
        return True
    try:
        # Opened again, as a descriptor that the shell made for output cannot be read.
        again = os.open(f"/dev/fd/{fd}", os.O_RDONLY)
    except OSError:
        return False  # nobody knows: a blank line does no harm
    try:
        return os.pread(again, 1, position - 1) == b"\n"
    finally:
        os.close(again)


def _appends(fd: int) -> bool:
    if sys.platform == "win32":
        return False  # where the shell appends, it goes to the end at once
    import fcntl  # noqa: PLC0415  # POSIX has it, Windows has not

    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND)
