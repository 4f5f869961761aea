"""Files for the owner alone, whose bytes survive a loss of power."""

import os
import sys
from typing import BinaryIO

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


def write_all(fd: int, data: bytes) -> None:
    """Write every byte: a nearly full disk takes some of them before it refuses the rest."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def create(path: str) -> BinaryIO:
    """Open a file for writing, empty, and with mode 0600 if it is new."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | int(getattr(os, "O_BINARY", 0))
    return os.fdopen(os.open(path, flags, 0o600), "wb")
