"""Locks between processes and threads that a killed holder cannot keep."""

import os
import time

from mist.platform.errors import LockError, LockTimeout, LockValueError
from mist.platform.lock_file import LockFile, holder_of

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class FileLock:
    """A lock that is held until `unlock()`, the end of its `with` block, or of the process.

    Forgetting the object does not release it. A child made by `os.fork` does not have it.
    """

    def __init__(self, file: LockFile) -> None:
        self._file = file

    @property
    def path(self) -> str:
        """The lock file's absolute path."""
        return self._file.path

    def unlock(self) -> None:
        """Release the lock; the file stays, and a second call does nothing.

        Raises:
            LockError: The operating system reports a failure; the lock is released all the same.
        """
        try:
            self._file.release()
        except OSError as exc:
            raise LockError.of(exc, self.path) from exc

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        self.unlock()

    def __repr__(self) -> str:
        return f"<FileLock {self.path!r} {'locked' if self._file.is_open else 'unlocked'}>"


def lock(path: str | os.PathLike[str], timeout: float | None = None) -> FileLock:
    """Lock a file; where another process or thread holds the lock, wait for it.

    The file and its directory are made where they are missing (modes 0600 and 0700). The lock is
    not reentrant: a thread that locks a file twice waits for itself.

    Args:
        path: The lock file. One with content of its own keeps it.
        timeout: Seconds to wait at most; None waits for ever.

    Raises:
        LockTimeout: Somebody held the lock all the time; its `holder` is the process id.
        LockError: The path is a directory or a symbolic link, or may not be written.
        LockValueError: The timeout is negative or not a number, or no file can have this name.
    """
    absolute = _absolute(path)
    if timeout is not None and not timeout >= 0:
        raise LockValueError(f"timeout is {timeout}: it must be None, or 0 s or more", absolute)
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        file = LockFile(absolute)
        try:
            taken = file.take(deadline)
            if taken and file.is_current():
                file.sign(os.getpid())
                return FileLock(file)
        except BaseException:
            file.abandon()
            raise
        file.abandon()
        if not taken:
            raise LockTimeout(absolute, timeout or 0.0, holder_of(absolute))


def try_lock(path: str | os.PathLike[str]) -> FileLock | None:
    """Lock a file if nobody holds the lock; return None at once if somebody does.

    Args:
        path: The lock file, as in `lock`.

    Raises:
        LockError: The path is a directory or a symbolic link, or may not be written.
    """
    try:
        return lock(path, timeout=0)
    except LockTimeout:
        return None


def lock_holder(path: str | os.PathLike[str]) -> int | None:
    """Return the process id of who holds a lock; None if nobody does, or it is not known.

    Only holders that use this package are known, for mist-go does not sign its locks. One that
    was killed is known until its process id has ended, and again if another process gets it.

    Args:
        path: The lock file; it need not exist.

    Raises:
        LockError: The file may not be read.
    """
    return holder_of(_absolute(path))


def _absolute(path: str | os.PathLike[str]) -> str:
    try:
        return os.path.abspath(path)  # noqa: PTH100  # pathlib would cost more than the rest
    except OSError as exc:
        message = f"cannot lock {path}: the working directory is not there any more"
        raise LockError(message, os.fspath(path), code="not_found") from exc
