"""A lock on a file that dies with the process that holds it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


# Whoever put a symbolic link there would choose what is written to.
NO_LINK = int(getattr(os, "O_NOFOLLOW", 0)) | int(getattr(os, "O_BINARY", 0))

_PAUSE = 0.005  # seconds between two attempts


class FileLock:
    """An exclusive lock; the system releases it when the process dies, however it dies.

    Not for several threads at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock unless somebody has it, be it another object of this process."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def acquire(self, timeout: float) -> None:
        """Take the lock within so many seconds.

        Raises:
            TimeoutError: somebody else kept it.
        """
        deadline = time.monotonic() + timeout
        while not self.try_acquire():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.path} has been locked for {timeout} seconds")
            time.sleep(_PAUSE)

    def release(self) -> None:
        """Give the lock back; without effect if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # Explicitly, since closing would leave it to a forked child's copy.
            with contextlib.suppress(OSError):
                _unlock(descriptor)
            os.close(descriptor)

    def disown(self) -> None:
        """In a forked child: let go of the parent's lock without releasing it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
