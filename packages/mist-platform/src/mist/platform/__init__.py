"""Operating-system differences and file locks."""

from mist.platform.errors import LockError, LockTimeout, LockValueError
from mist.platform.line_endings import (
    normalize_line_endings,
    platform_line_ending,
    to_platform_line_endings,
)
from mist.platform.lock import FileLock, lock, lock_holder, try_lock
from mist.platform.signals import shutdown_signals
from mist.platform.system import arch, is_windows, os_name

__all__ = [
    "FileLock",
    "LockError",
    "LockTimeout",
    "LockValueError",
    "arch",
    "is_windows",
    "lock",
    "lock_holder",
    "normalize_line_endings",
    "os_name",
    "platform_line_ending",
    "shutdown_signals",
    "to_platform_line_endings",
    "try_lock",
]

for _public in (
    FileLock,
    LockError,
    LockTimeout,
    LockValueError,
    arch,
    is_windows,
    lock,
    lock_holder,
    normalize_line_endings,
    os_name,
    platform_line_ending,
    shutdown_signals,
    to_platform_line_endings,
    try_lock,
):
    _public.__module__ = __name__
del _public
