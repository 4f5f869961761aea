"""What users write, checked by mypy and pyright and never run."""

import signal
from pathlib import Path
from typing import assert_type

from mist.platform import (
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
)


def locks(path: Path) -> None:
    """Lock, try, ask."""
    with lock(path, timeout=1.5) as held:
        assert_type(held, FileLock)
        assert_type(held.path, str)
    assert_type(try_lock("name.lock"), FileLock | None)
    assert_type(lock_holder(path), int | None)
    try:
        lock(path).unlock()
    except LockTimeout as error:
        assert_type(error.holder, int | None)
    except LockValueError as error:
        ValueError.__str__(error)
    except LockError as error:
        assert_type(error.code, str)


def system() -> None:
    """Ask for what the system is like."""
    assert_type(os_name(), str)
    assert_type(arch(), str)
    assert_type(is_windows(), bool)
    assert_type(platform_line_ending(), str)
    assert_type(normalize_line_endings(b""), bytes)
    assert_type(to_platform_line_endings(""), str)
    assert_type(shutdown_signals(), tuple[signal.Signals, ...])
