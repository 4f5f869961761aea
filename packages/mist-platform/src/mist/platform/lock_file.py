"""The file behind a lock: how it is opened, taken, signed by its holder, and given back."""

import os
import stat
import sys
import time

from mist.platform.errors import LockError, LockValueError

if sys.platform == "win32":
    from mist.platform.msvcrt_lock import is_held, try_exclusive, unlock, wait_exclusive
else:
    from mist.platform.flock import is_held, try_exclusive, unlock, wait_exclusive

# Not every system has every flag. A symbolic link is refused, and a named pipe keeps nobody
# waiting before it is refused as well.
_NAMES = ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
_FLAGS = sum(int(getattr(os, name, 0)) for name in _NAMES)

# The holder's process id, padded so that each signature covers the one before. It begins with a
# blank, because Windows lets nobody read the byte that is locked.
_SIGNATURE = " {:<19}\n"
_LENGTH = len(_SIGNATURE.format(""))

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05  # seconds

_open_files: "set[LockFile]" = set()


class LockFile:
    """An open lock file, from before it is locked until it is closed.

    Raises:
        LockError: The file cannot be opened, or is no file that can be a lock.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = _open(path)
        _open_files.add(self)

    @property
    def is_open(self) -> bool:
        """Whether the file is open, which is while it is being locked and while it is."""
        return self in _open_files

    def take(self, deadline: float | None) -> bool:
        """Wait for the lock until a moment of the monotonic clock, and tell whether it is taken."""
        try:
            if deadline is not None:
                return self._try_until(deadline)
            wait_exclusive(self._fd)
        except OSError as exc:
            raise LockError.of(exc, self.path) from exc
        return True

    def _try_until(self, deadline: float) -> bool:
        pause = _SHORTEST_PAUSE
        while not try_exclusive(self._fd):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)
        return True

    def is_current(self) -> bool:
        """Tell whether the path still leads to this file: mist-go deletes its lock files."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.lstat(self.path))
        except OSError:  # whatever has become of the path, who opens it again is told
            return False

    def sign(self, holder: int | None) -> None:
        """Write down who holds the lock, but never over content that is not a signature.

        To know the holder is a convenience: a full disk is no reason not to lock.
        """
        try:
            if _signature(self._fd) is not None:
                text = _SIGNATURE.format("" if holder is None else holder)
                os.lseek(self._fd, 0, os.SEEK_SET)
                os.write(self._fd, text.encode())
        except OSError:
            pass

    def release(self) -> None:
        """Unlock and close the file; only the first call does anything."""
        if self._leave():
            try:
                self.sign(None)
                unlock(self._fd)
            finally:
                os.close(self._fd)

    def abandon(self) -> None:
        """Close the file without unlocking it, which others with a copy of it would feel."""
        if self._leave():
            os.close(self._fd)

    def _leave(self) -> bool:
        """Count as closed from now on; of several callers only one gets True."""
        try:
            _open_files.remove(self)
        except KeyError:
            return False
        return True


def holder_of(path: str) -> int | None:
    """Return who signed a lock file and is still there."""
    try:
        fd = os.open(path, os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise LockError.of(exc, path) from exc
    except ValueError as exc:
        raise LockValueError(f"cannot lock {path!r}: {exc}", path) from exc
    try:
        holder = _signature(fd)
        return holder if holder and is_held(fd, holder) else None
    except OSError as exc:
        raise LockError.of(exc, path) from exc
    finally:
        os.close(fd)


def _open(path: str) -> int:
    try:
        fd = _open_or_create(path)
    except OSError as exc:
        if stat.S_ISLNK(_mode(path)):
            message = f"cannot lock {path}: it is a symbolic link, which may lead anywhere"
            raise LockError(message, path, code="validation") from exc
        raise LockError.of(exc, path) from exc
    except ValueError as exc:
        raise LockValueError(f"cannot lock {path!r}: {exc}", path) from exc
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise LockError(f"cannot lock {path}: it is not a regular file", path, code="validation")


def _open_or_create(path: str) -> int:
    # Linux does not let O_CREAT open what somebody else has made in a directory like /tmp.
    try:
        return os.open(path, os.O_RDWR | _FLAGS)
    except FileNotFoundError:
        pass
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120  # a str
    return os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0


def _signature(fd: int) -> int | None:
    """Return the process id in a file, 0 where nobody signed, None where the content is other."""
    size = os.fstat(fd).st_size
    os.lseek(fd, 1, os.SEEK_SET)
    text = os.read(fd, _LENGTH).strip()
    if size not in (0, _LENGTH) or not (text.isdigit() or not text):
        return None
    return int(text or 0)


def _disown() -> None:
    """Close in a forked child what its parent has locked, or the lock would outlive the parent."""
    for file in tuple(_open_files):
        file.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown)
