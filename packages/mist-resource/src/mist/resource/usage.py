"""What this process uses now."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import psutil


class Snapshot(NamedTuple):
    """What this process uses at one moment; `_asdict()` is ready for JSON.

    Attributes:
        heap_bytes: memory of its own, see `heap_usage`.
        rss_bytes: memory that is in RAM, shared libraries included.
        tasks: unfinished asyncio tasks of the running event loop, 0 outside of one.
        threads: threads.
        open_files: open file descriptors, on Windows handles.
        num_cpu: processors that it may use.
    """

    heap_bytes: int
    rss_bytes: int
    tasks: int
    threads: int
    open_files: int
    num_cpu: int


def take_snapshot() -> Snapshot:
    """Measure what this process uses now; takes about a millisecond."""
    process = _process()
    with process.oneshot():
        return Snapshot(
            heap_bytes=process.memory_full_info().uss,
            rss_bytes=process.memory_info().rss,
            tasks=task_count(),
            threads=process.num_threads(),
            open_files=_open_files(process),
            num_cpu=_cpus(),
        )


def heap_usage() -> int:
    """Return the bytes that are this process's own: what its end would free (USS).

    That is the heap of the interpreter and of every C library, which Python itself cannot tell
    apart, without what is shared with other processes.
    """
    return _process().memory_full_info().uss


def task_count() -> int:
    """Return the number of unfinished tasks of the running event loop, 0 outside of one."""
    if "asyncio" not in sys.modules:
        return 0
    from asyncio import all_tasks  # noqa: PLC0415  # who has tasks has it, and others need not wait

    try:
        return len(all_tasks())
    except RuntimeError:
        return 0


def _open_files(process: psutil.Process) -> int:
    if sys.platform == "win32":
        return process.num_handles()
    return process.num_fds()


def _cpus() -> int:
    # A container or taskset may allow fewer than there are.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _process() -> psutil.Process:
    import psutil  # noqa: PLC0415  # takes long to import, and few programs need it

    # Made anew each time: after a fork it would tell of the parent.
    return psutil.Process()
