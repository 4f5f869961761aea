# ruff: noqa: PTH103, PTH105, PTH106, PTH108, PTH112, PTH120, PTH123  # pathlib takes long to load
"""Files for the owner alone, whose bytes and names survive a loss of power."""

import contextlib
import os
import sys
from typing import BinaryIO

BINARY = int(getattr(os, "O_BINARY", 0))

if sys.platform == "darwin":
    import fcntl

    def sync_file(fd: int) -> None:
        """Wait until a file's content is on the disk, past the disk's own cache as in mist-go."""
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError:  # a file system that has no such thing
            os.fsync(fd)

else:
    sync_file = os.fsync


def sync_directory(path: str) -> None:
    """Wait until the names in a directory are on the disk; Windows has no such thing."""
    if sys.platform != "win32":
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def sync_parent(path: str) -> None:
    """Wait until a file's or a directory's own name is on the disk."""
    sync_directory(os.path.dirname(path))


def make_directory(path: str) -> None:
    """Make a directory with mode 0700 where it is missing, and before it those above it."""
    if not os.path.isdir(path):
        parent = os.path.dirname(path)
        if parent != path:  # as it is for a drive that is not there
            make_directory(parent)
        os.makedirs(path, mode=0o700, exist_ok=True)
        sync_parent(path)


def read(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading."""
    return open(path, "rb")


def create(path: str) -> BinaryIO:
    """Open a new file for writing, with mode 0600; one that is there, or a link, is removed."""
    discard(path)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600), "wb")


def finish(file: BinaryIO) -> int:
    """Wait until a file that was created is on the disk, and return its size in bytes."""
    file.flush()
    sync_file(file.fileno())
    return file.tell()


def write_all(fd: int, data: bytes) -> None:
    """Write every byte: a nearly full disk takes some of them before it refuses the rest."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def replace(temporary: str, path: str) -> None:
    """Put a file in the place of another: whatever happens, one of the two is there."""
    os.replace(temporary, path)
    sync_parent(path)


def discard(path: str) -> None:
    """Remove a file, if the operating system lets it be removed."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def discard_directory(path: str) -> None:
    """Remove a directory, if it is empty."""
    with contextlib.suppress(OSError):
        os.rmdir(path)
