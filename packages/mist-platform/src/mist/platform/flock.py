"""Exclusive locks on Unix: flock(2), which mist-go takes too.

They belong to the open file, not to the process as those of fcntl(2) do: two threads that each
open the file exclude each other, and closing some other descriptor of the file frees nothing.
"""

import errno
import os
import sys

assert sys.platform != "win32"  # noqa: S101  # type checkers read the rest for Unix only

import fcntl  # noqa: E402  # exists on Unix only

# EACCES is what some network file systems say.
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}


def try_exclusive(fd: int) -> bool:
    """Take the lock if it is free, and tell whether it is taken now."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in _HELD:
            return False
        raise
    return True


def wait_exclusive(fd: int) -> None:
    """Take the lock, however long it takes; the kernel serves those who wait in turn."""
    fcntl.flock(fd, fcntl.LOCK_EX)


def unlock(fd: int) -> None:
    """Give the lock back at once, also where a child still has a copy of the descriptor."""
    fcntl.flock(fd, fcntl.LOCK_UN)


def is_held(fd: int, holder: int) -> bool:
    """Tell whether a recorded holder is there still; asking for the lock could deny it to others."""
    del fd
    try:
        os.kill(holder, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it is somebody else's, and there
    return True
