"""Exclusive locks on Windows: the first byte of the file, as mist-go locks it.

Windows keeps others even from reading a locked byte, so what the holder writes about itself
begins after it.
"""

import os
import sys
import time

assert sys.platform == "win32"  # noqa: S101  # type checkers read the rest for Windows only

import msvcrt  # noqa: E402  # exists on Windows only

_INTERVAL = 0.01  # seconds; Windows has no wait that a Ctrl+C could interrupt


def try_exclusive(fd: int) -> bool:
    """Take the lock if it is free, and tell whether it is taken now."""
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    except PermissionError:
        return False
    return True


def wait_exclusive(fd: int) -> None:
    """Take the lock, however long it takes."""
    while not try_exclusive(fd):
        time.sleep(_INTERVAL)


def unlock(fd: int) -> None:
    """Give the lock back."""
    os.lseek(fd, 0, os.SEEK_SET)
    msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)


def is_held(fd: int, holder: int) -> bool:
    """Tell whether anybody holds the lock: nobody else can read the locked byte."""
    del holder
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        os.read(fd, 1)
    except PermissionError:
        return True
    return False
