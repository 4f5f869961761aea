"""The file that holds the log: the only place where its bytes are read, written and cut."""

import errno
import os
import stat
from collections.abc import Iterator

from mist.checkpoint.disk import BINARY, sync_file, sync_parent, write_all
from mist.checkpoint.errors import StorageError

# A symbolic link is refused: whoever put it there would choose what is written to.
_FLAGS = os.O_RDWR | os.O_APPEND | BINARY | int(getattr(os, "O_NOFOLLOW", 0))
_CHUNK = 1 << 20


class LogFile:
    """An append-only file, made with mode 0600 where it is missing.

    Every method raises OSError as the operating system does. A path that leads to no regular file
    of its own is a `StorageError`.
    """

    def __init__(self, path: str) -> None:
        self._fd = _open(path)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise StorageError(f"{path} is not a regular file", code="validation")

    def chunks(self) -> Iterator[bytes]:
        """Read the file from its start: whole lines, and at last what follows the last of them."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        parts: list[bytes] = []
        while chunk := os.read(self._fd, _CHUNK):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield b"".join((*parts, chunk[:end]))
                parts.clear()
            parts.append(chunk[end:])
        yield b"".join(parts)

    def append(self, data: bytes) -> None:
        """Write at the end of the file; if it fails, some of the data may be there."""
        write_all(self._fd, data)

    def sync(self) -> None:
        """Wait until the file is on the disk."""
        sync_file(self._fd)

    def cut(self, size: int) -> None:
        """Drop everything after the first `size` bytes."""
        os.ftruncate(self._fd, size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _open(path: str) -> int:
    try:
        try:
            return os.open(path, _FLAGS)
        except FileNotFoundError:
            fd = os.open(path, _FLAGS | os.O_CREAT, 0o600)
            sync_parent(path)
            return fd
    except OSError as exc:
        if exc.errno != errno.ELOOP:
            raise
        raise StorageError(
            f"{path} is a symbolic link, which may lead anywhere", code="validation"
        ) from exc
