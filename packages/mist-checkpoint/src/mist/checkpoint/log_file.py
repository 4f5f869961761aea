"""The file that holds the log: the only place where its bytes are read, written and cut."""

import os
import stat
from collections.abc import Iterator

from mist.checkpoint.disk import BINARY, sync_file, sync_parent, write_all
from mist.checkpoint.errors import StorageError

_FLAGS = os.O_RDWR | os.O_APPEND | BINARY
_CHUNK = 1 << 20


class LogFile:
    """An append-only file, made with mode 0600 where it is missing.

    Every method raises OSError as the operating system does.
    """

    def __init__(self, path: str) -> None:
        try:
            self._fd = os.open(path, _FLAGS)
        except FileNotFoundError:
            self._fd = os.open(path, _FLAGS | os.O_CREAT, 0o600)
            sync_parent(path)
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
