"""Messages in a file, one JSON line each."""

import errno
import gzip
import io
import os
import stat
import sys
import threading
import weakref
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from mist.protocol import Message
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.interface import Conversation
from mist.transport.lines import LineParser, marshal_line
from mist.transport.reading import (
    ChunkReader,
    DescriptorSource,
    FollowingSource,
    MessageReader,
    Source,
)
from mist.transport.writing import PipeWriter

# Windows would write a carriage return before each newline, and end a file at Ctrl-Z.
_O_BINARY: Final = getattr(os, "O_BINARY", 0)

_appending: "weakref.WeakSet[File]" = weakref.WeakSet()


class File(Conversation):
    """A file of JSON lines: `send` appends, `receive` reads from the start.

    Any number of processes may append to one file at once: a message is one write. The file is
    opened at the first `send` or `receive`, and made (mode 0600) at the first `send`; one that
    is there keeps its mode, and a symbolic link is followed. A named pipe or a device serves as
    well; there `send` waits for its reader. A forked child appends to the file as another process
    does; what its parent reads it cannot read on.
    """

    def __init__(self, path: str | os.PathLike[str], *, follow: bool = False) -> None:
        """Name the file; nothing is opened yet.

        Args:
            path: The file. One ending in `.gz` is decompressed while it is read, and cannot be
                appended to.
            follow: At the end of the file wait for more, like `tail -f`, instead of ending.

        Raises:
            TransportError: The path holds a null character (code `validation`).
        """
        if "\0" in os.fspath(path):
            raise TransportError(f"no file is called {str(path)!r}", code="validation")
        self.path = Path(path)
        self.follow = follow
        # Not a method: one that is forgotten would be kept, and its files open, by the cycle.
        opener = partial(_open_for_reading, self.path, follow=follow)
        self._reader = MessageReader(ChunkReader(opener), LineParser(str(path)))
        self._next_read = self._reader.parser.next_message
        # One of them is what `send` has opened, according to what the path names.
        self._appender: Appender | None = None
        self._pipe: PipeWriter | None = None
        self._appended_path = self.path
        self._closed = False

    async def send(self, message: Message) -> None:
        """Append a message.

        The one write goes to the page cache and is not waited for on another thread; whether it
        reaches the disk is the operating system's affair.

        Raises:
            TransportError: The file cannot be opened or written; nothing of the message, or a
                torn line that readers skip, is in the file.
            MessageTooLarge: The payload is over the limit.
        """
        line = marshal_line(message)
        if self._appender is None and self._pipe is None:
            self.open_for_appending()
        if self._appender is not None:
            self._appender.append(line)
        elif self._pipe is not None:
            await self._pipe.write(line)

    async def receive(self) -> Message:
        """Read the next message.

        Raises:
            EndOfStream: The file has no more messages.
            ProtocolError: A line is not a message; the text names file and line.
            TransportError: The file cannot be opened or read.
        """
        # What was read already needs no second coroutine.
        message = self._next_read()
        return await self._reader.next_message() if message is None else message

    async def __anext__(self) -> Message:
        message = self._next_read()
        return await super().__anext__() if message is None else message

    @property
    def line_number(self) -> int:
        """The line that `receive` looked at last, counted from 1."""
        return self._reader.parser.line_number

    async def close(self) -> None:
        """Close the file on both sides; what was read already can still be received."""
        self._closed = True
        self._reader.close()
        if self._appender is not None:
            self._appender.close()
            self._appender = None
        pipe, self._pipe = self._pipe, None
        if pipe is not None and await pipe.close():
            os.close(pipe.fd)

    def open_for_appending(self) -> None:
        """Open the file now, and not only when the first message is sent.

        Raises:
            TransportError: It cannot be opened, or this transport was closed.
        """
        if self._appender is not None or self._pipe is not None:
            return
        if self._closed:
            raise TransportClosed(f"{self.path} is closed")
        if self.path.suffix == ".gz":
            raise TransportError(
                f"cannot append to {self.path}: compressed files can only be read",
                code="validation",
            )
        fd, readable = _open_to_append(self._appended_path)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            try:
                self._appender = Appender(fd, self.path, readable=readable)
            except OSError as exc:
                raise TransportError.from_os_error(exc, f"cannot append to {self.path}") from exc
            # A forked child may have another working directory when it opens the file again.
            self._appended_path = self._appended_path.absolute()
            _appending.add(self)
        else:
            self._pipe = PipeWriter(fd, str(self.path))

    def _after_fork(self) -> None:
        """Let a forked child open the file again: a descriptor that is inherited moves for both."""
        if self._appender is not None:
            self._appender.close()
            self._appender = None


def _after_fork() -> None:
    for file in tuple(_appending):
        file._after_fork()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _open_for_reading(path: Path, stop: threading.Event, *, follow: bool) -> Source:
    try:
        fd = os.open(path, os.O_RDONLY | _O_BINARY)
    except OSError as exc:
        raise _explain(exc, f"cannot read {path}", path) from exc
    kind = os.fstat(fd).st_mode
    if stat.S_ISDIR(kind):
        os.close(fd)
        raise _is_a_directory(f"cannot read {path}")
    if path.suffix == ".gz":
        return _GzipSource(fd, path)
    if not stat.S_ISREG(kind):
        return DescriptorSource(fd, stop, owned=True)
    return FollowingSource(fd, stop) if follow else io.FileIO(fd)


class _GzipSource:
    def __init__(self, fd: int, path: Path) -> None:
        self._path = path
        self._raw = io.FileIO(fd)
        self._gzip = gzip.GzipFile(fileobj=self._raw)

    def read(self, size: int, /) -> bytes:
        try:
            return self._gzip.read1(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise TransportError(
                f"cannot read {self._path}: damaged gzip data: {exc}", code="protocol"
            ) from exc

    def close(self) -> None:
        self._gzip.close()
        self._raw.close()


class Appender:
    """Appends lines to a file that other processes append to as well.

    A file that does not end in a newline holds the torn line of somebody who died, or whose
    disk was full; what comes next must not become part of it.
    """

    def __init__(
        self,
        fd: int,
        path: Path,
        *,
        readable: bool,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        """Append to an open file.

        Args:
            fd: A descriptor that appends, which this object closes.
            path: What errors call it.
            readable: Whether the descriptor can be read, too.
            write: Writes to the descriptor as `os.write` does; what a failing disk does instead
                is tried with another.
        """
        self._fd = fd
        self._write = write
        self._path = path
        self._readable = readable
        self._end = os.lseek(fd, 0, os.SEEK_END)
        # Of a file that cannot be read nobody knows how it ends: a blank line does no harm.
        self._needs_newline = not (readable and self._begins_line(self._end))

    def __del__(self) -> None:
        self.close()

    def append(self, line: bytes) -> None:
        """Write one line, which ends in its newline, in one piece.

        Raises:
            TransportError: It was not written, or only in part.
        """
        data = b"\n" + line if self._needs_newline else line
        try:
            written = self._write(self._fd, data)
            self._end += written
            if os.lseek(self._fd, 0, os.SEEK_CUR) != self._end:
                written = self._write_again_if_fused(line, data, written)
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot append to {self._path}") from exc
        if written < len(data):
            # The rest cannot follow: others may have appended in between.
            self._needs_newline = True
            raise TransportError(
                f"cannot append to {self._path}: only {written} of {len(data)} bytes were written,"
                " is the disk full?",
                code="unavailable",
            )
        if data is not line:
            self._needs_newline = not self._readable

    def close(self) -> None:
        """Close the file; calling it again does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _write_again_if_fused(self, line: bytes, data: bytes, written: int) -> int:
        """Write the line again where it has continued another's, and return how much of it.

        Where others have appended since our last write, one of them may have died in the middle
        of a line.
        """
        while True:
            undisturbed = self._end
            self._end = os.lseek(self._fd, 0, os.SEEK_CUR)
            if (
                self._end == undisturbed
                or data is not line
                or written < len(line)
                or self._begins_line(self._end - written)
            ):
                return written
            written = self._write(self._fd, line)
            self._end += written

    def _begins_line(self, offset: int) -> bool:
        if offset <= 0:
            return True  # the file was empty, or was emptied meanwhile
        os.lseek(self._fd, offset - 1, os.SEEK_SET)  # appending writes at the end all the same
        return os.read(self._fd, 1) == b"\n"


def _open_to_append(path: Path) -> tuple[int, bool]:
    """Open a file for appending, making it where there is none.

    Returns:
        The descriptor, and whether it can be read as well.

    Raises:
        TransportError: It cannot be opened.
    """
    flags = os.O_APPEND | os.O_CREAT | _O_BINARY
    try:
        if sys.platform != "win32" and _is_named_pipe(path):
            return _open_named_pipe(path), False
        try:
            return os.open(path, flags | os.O_RDWR, 0o600), True
        except PermissionError:
            # A file that may be written but not read can be appended to all the same.
            return os.open(path, flags | os.O_WRONLY, 0o600), False
    except TransportError:
        raise
    except OSError as exc:
        raise _explain(exc, f"cannot append to {path}", path) from exc


if sys.platform != "win32":

    def _open_named_pipe(path: Path) -> int:
        # Waiting here for a reader would block the event loop, and opening both ends would
        # hide that there is none.
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as exc:
            if exc.errno != errno.ENXIO:
                raise
            raise TransportError(
                f"cannot append to {path}: nobody reads the pipe", code="unavailable"
            ) from exc
        os.set_blocking(fd, True)
        return fd


def _is_named_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _explain(exc: OSError, what: str, path: Path) -> TransportError:
    # Windows says of a directory that permission is denied.
    if path.is_dir():
        return _is_a_directory(what)
    error = TransportError.from_os_error(exc, what)
    if isinstance(exc, FileNotFoundError) and not path.parent.is_dir():
        return TransportError(
            f"{what}: there is no directory {path.parent}; make it first", code=error.code
        )
    return error


def _is_a_directory(what: str) -> TransportError:
    return TransportError(f"{what}: it is a directory, name a file in it", code="validation")
