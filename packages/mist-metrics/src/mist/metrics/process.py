"""What the system tells of this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from mist.metrics.registry import Registry

# The event loop of the server that shows the metrics, for threads that work for it.
serving_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar(
    "serving_loop", default=None
)

_HELP = {
    "process_cpu_ms": "User and system processor time.",
    "process_resident_memory_bytes": "Memory that is in RAM.",
    "process_open_fds": "Open file descriptors; on Windows, handles.",
    "process_threads": "Threads, of Python and of others.",
    "process_start_time_seconds": "When the process started, in seconds since 1970.",
    "asyncio_tasks": "Unfinished tasks of the event loop.",
}


class ProcessMetrics:
    """Sets the metrics of a registry to what the process is using; never raises.

    Args:
        registry: Where the metrics are.
        read: Yields names and values of gauges.
    """

    def __init__(
        self,
        registry: Registry,
        read: Callable[[], Iterator[tuple[str, float]]] | None = None,
    ) -> None:
        self._registry = registry
        self._read = read or (from_proc if sys.platform == "linux" else from_psutil)
        for name, text in _HELP.items():
            registry.describe(name, text)
        self()  # so that they are among the first series, however many there come to be

    def __call__(self) -> None:
        """Measure."""
        cpu = self._registry.counter("process_cpu_ms")
        cpu.add(max(0, time.process_time_ns() // 1_000_000 - cpu.value))
        tasks = _count_tasks()
        if tasks is not None:
            self._registry.gauge("asyncio_tasks").set(tasks)
        # What cannot be read, for want of permission or at the limit of open files, is left.
        with contextlib.suppress(OSError, ValueError, IndexError):
            for name, value in self._read():
                self._registry.gauge(name).set(value)


def from_proc() -> Iterator[tuple[str, float]]:
    """Read from Linux's /proc (see proc(5))."""
    # What follows the command's name, which may hold anything, begins with the third field.
    stat = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    yield "process_threads", int(stat[20 - 3])
    yield "process_start_time_seconds", _boot_time() + int(stat[22 - 3]) / os.sysconf("SC_CLK_TCK")
    yield "process_resident_memory_bytes", int(stat[24 - 3]) * os.sysconf("SC_PAGE_SIZE")
    yield "process_open_fds", sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1  # less its own


def from_psutil() -> Iterator[tuple[str, float]]:
    """Ask psutil, where it is installed; else tell what Python knows itself."""
    try:
        import psutil  # noqa: PLC0415  # an extra
    except ModuleNotFoundError:
        yield "process_threads", threading.active_count()
        return
    process = psutil.Process()
    try:
        yield "process_threads", process.num_threads()
        yield "process_start_time_seconds", process.create_time()
        yield "process_resident_memory_bytes", process.memory_info().rss
        if sys.platform == "win32":
            yield "process_open_fds", process.num_handles()
        else:
            yield "process_open_fds", process.num_fds()
    except psutil.Error as exc:
        raise OSError(str(exc)) from exc


@cache
def _boot_time() -> int:
    lines = Path("/proc/stat").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime "))


def _count_tasks() -> int | None:
    """Count the tasks of the loop in this thread, or of the one that this thread works for."""
    loop = serving_loop.get()
    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_running_loop()
    return None if loop is None else len(asyncio.all_tasks(loop))
