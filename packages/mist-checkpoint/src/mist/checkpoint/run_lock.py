"""One opener per run: a lock that ends with its holder, and says who that is.

`flock` on Unix, the first byte of the file on Windows. The file stays when the lock is released:
deleting it would let one process lock the deleted file and another the new one.
"""

import contextlib
import os
import sys
import threading
import weakref

from mist.checkpoint.errors import StorageError

if sys.platform == "win32":
    import msvcrt

    def _try_exclusive(fd: int) -> bool:
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_exclusive(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # the latter on some network file systems
            return False
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


# A symbolic link is refused; a named pipe keeps nobody waiting.
_NAMES = ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
_FLAGS = sum(int(getattr(os, name, 0)) for name in _NAMES)

# The holder's process id, after a blank: Windows lets nobody read the byte that is locked.
_SIGNATURE = " {:<19}\n"
_LENGTH = len(_SIGNATURE.format(0))

_locks: "weakref.WeakSet[RunLock]" = weakref.WeakSet()


class RunLock:
    """The lock of one run; it is released at the latest when the object is forgotten."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None
        self._mutex = threading.Lock()
        _locks.add(self)

    def acquire(self) -> bool:
        """Take the lock unless somebody else has it, without waiting; tell whether it is held.

        Raises:
            FileNotFoundError: The directory is not there.
            StorageError: There can be no lock file.
        """
        with self._mutex:
            while self._fd is None:
                fd = self._open()
                try:
                    if not _try_exclusive(fd):
                        os.close(fd)
                        return False
                    # Else somebody has deleted the file, and the next may lock another one.
                    if _identity(os.fstat(fd)) == _identity(os.lstat(self._path)):
                        self._fd = fd
                        return True
                except OSError as exc:
                    os.close(fd)
                    if not isinstance(exc, FileNotFoundError):
                        raise StorageError.of(exc, f"cannot lock {self._path}") from exc
                else:
                    os.close(fd)
            return True

    def sign(self) -> None:
        """Write down which process holds the lock; a full disk is no reason not to go on."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.lseek(self._fd, 0, os.SEEK_SET)
                os.write(self._fd, _SIGNATURE.format(os.getpid()).encode())

    def holder(self) -> int | None:
        """Return the process that holds the lock, if it has signed."""
        with contextlib.suppress(OSError, ValueError):
            fd = os.open(self._path, os.O_RDONLY | _FLAGS)
            try:
                os.lseek(fd, 1, os.SEEK_SET)
                return int(os.read(fd, _LENGTH))
            finally:
                os.close(fd)
        return None

    def release(self) -> None:
        """Give the lock back, if it is held."""
        with self._mutex:
            fd, self._fd = self._fd, None
        if fd is not None:
            with contextlib.suppress(OSError):
                os.lseek(fd, 0, os.SEEK_SET)
                os.write(fd, _SIGNATURE.format("").encode())
            try:
                _unlock(fd)
            finally:
                os.close(fd)

    def disown(self) -> None:
        """Forget in a forked child the lock of its parent, which would outlive the parent here."""
        self._mutex = threading.Lock()
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise StorageError.of(exc, f"cannot lock {self._path}") from exc

    def __del__(self) -> None:
        self.release()


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _disown_all() -> None:
    for lock in tuple(_locks):
        lock.disown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)
