"""Messages in a file, one JSON line each."""

import gzip
import io
import os
import stat
import threading
import zlib
from pathlib import Path

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


class File(Conversation):
    """A file of JSON lines: `send` appends, `receive` reads from the start.

    Any number of processes may append to one file at once: a message is one write. The file is
    opened at the first `send` or `receive`, and made (mode 0600) at the first `send`.
    """

    def __init__(self, path: str | os.PathLike[str], *, follow: bool = False) -> None:
        """Name the file; nothing is opened yet.

        Args:
            path: The file. One ending in `.gz` is decompressed while it is read, and cannot be
                appended to.
            follow: At the end of the file wait for more, like `tail -f`, instead of ending.
        """
        self.path = Path(path)
        self.follow = follow
        self._reader = MessageReader(ChunkReader(self._open_for_reading), LineParser(str(path)))
        self._appender: Appender | None = None
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
        appender = self._appender or self._open_for_appending()
        appender.append(marshal_line(message))

    async def receive(self) -> Message:
        """Read the next message.

        Raises:
            EndOfStream: The file has no more messages.
            ProtocolError: A line is not a message; the text names file and line.
            TransportError: The file cannot be opened or read.
        """
        return await self._reader.next_message()

    @property
    def line_number(self) -> int:
        """The line that `receive` looked at last, counted from 1."""
        return self._reader.parser.line_number

    async def close(self) -> None:
        """Close the file on both sides."""
        self._closed = True
        self._reader.close()
        if self._appender is not None:
            self._appender.close()
            self._appender = None

    def _open_for_appending(self) -> "Appender":
        if self._closed:
            raise TransportClosed(f"{self.path} is closed")
        self._appender = Appender(self.path)
        return self._appender

    def _open_for_reading(self, stop: threading.Event) -> Source:
        try:
            fd = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot read {self.path}") from exc
        kind = os.fstat(fd).st_mode
        if stat.S_ISDIR(kind):
            os.close(fd)
            raise TransportError(
                f"cannot read {self.path}: it is a directory, name a file in it", code="validation"
            )
        if self.path.suffix == ".gz":
            return _GzipSource(fd, self.path)
        if not stat.S_ISREG(kind):
            return DescriptorSource(fd, stop, owned=True)
        return FollowingSource(fd, stop) if self.follow else io.FileIO(fd)


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

    def __init__(self, path: Path) -> None:
        """Open the file for appending, making it where there is none.

        Raises:
            TransportError: It cannot be opened.
        """
        if path.suffix == ".gz":
            raise TransportError(
                f"cannot append to {path}: compressed files can only be read", code="validation"
            )
        self.path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            try:
                self._fd = os.open(path, flags, 0o600)
            except PermissionError:
                # A file that may be written but not read can be appended to all the same.
                self._fd = os.open(path, (flags & ~os.O_RDWR) | os.O_WRONLY, 0o600)
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot append to {path}") from exc
        self._is_regular = stat.S_ISREG(os.fstat(self._fd).st_mode)
        self._end = os.lseek(self._fd, 0, os.SEEK_END) if self._is_regular else 0
        self._after_torn_line = self._end > 0 and not self._is_newline(self._end - 1)

    def append(self, line: bytes) -> None:
        """Write one line, which ends in its newline, in one piece.

        Raises:
            TransportError: It was not written, or only in part.
        """
        data = b"\n" + line if self._after_torn_line else line
        try:
            written = os.write(self._fd, data)
            if self._is_regular:
                end = os.lseek(self._fd, 0, os.SEEK_CUR)
                # Where others have appended since our last write, one of them may have died
                # in the middle of a line, which ours would then continue.
                if end != self._end + written and not self._is_newline(end - len(line) - 1):
                    written = os.write(self._fd, data)
                self._end = end
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot append to {self.path}") from exc
        # The rest of a partial write cannot follow: others may have appended in between.
        self._after_torn_line = written < len(data)
        if self._after_torn_line:
            raise TransportError(
                f"cannot append to {self.path}: only {written} of {len(data)} bytes were written,"
                " is the disk full?",
                code="unavailable",
            )

    def close(self) -> None:
        """Close the file; calling it again does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _is_newline(self, offset: int) -> bool:
        try:
            os.lseek(self._fd, offset, os.SEEK_SET)  # appending writes at the end all the same
            return os.read(self._fd, 1) == b"\n"
        except OSError:
            return False  # not readable: a blank line too many does no harm
