"""What is used: by name, and by the process as a whole."""

import asyncio
import json
import os
import threading
from pathlib import Path

import psutil
import pytest

from mist.resource import (
    Limiter,
    MemoryBudget,
    Monitor,
    ResourceError,
    heap_usage,
    take_snapshot,
    task_count,
)


def test_the_status_is_mist_gos():
    """Names sorted; `total` only for a limiter that was ever used."""
    monitor = Monitor()
    used, unused, budget = Limiter("workers", 4), Limiter("files", 9), MemoryBudget("batch", 100)
    monitor.track(used)
    monitor.track(unused)
    monitor.track_budget(budget)
    used.try_acquire()
    budget.reserve(7)
    assert json.dumps(monitor.status()) == (
        '{"batch": {"active": 7, "max": 100}, "files": {"active": 0, "max": 9},'
        ' "workers": {"active": 1, "max": 4, "total": 1}}'
    )


def test_two_resources_of_one_name_are_an_error():
    """One would hide the other; the same one twice is none."""
    monitor = Monitor()
    limiter = Limiter("db", 1)
    monitor.track(limiter)
    monitor.track(limiter)
    with pytest.raises(ResourceError, match="another resource named 'db' is tracked"):
        monitor.track_budget(MemoryBudget("db", 1))


def test_heap_usage_follows_what_is_allocated():
    """Fifty megabytes that are written to show, and show no more once they are freed."""
    before = heap_usage()
    block = bytearray(os.urandom(1)) * (50 << 20)
    with_block = heap_usage()
    del block
    after = heap_usage()
    assert 45 << 20 < with_block - before < 60 << 20
    assert after < with_block - (40 << 20)


def test_a_snapshot_agrees_with_the_system():
    """Its figures are those that the system gives for this process."""
    process = psutil.Process()
    leave = threading.Event()
    before = take_snapshot()
    # Many, for a thread that an earlier test has left behind may end meanwhile.
    threads = [threading.Thread(target=leave.wait) for _ in range(50)]
    for thread in threads:
        thread.start()
    with Path(os.devnull).open():
        during = take_snapshot()
    leave.set()
    for thread in threads:
        thread.join()
    assert before.threads + 25 < during.threads <= before.threads + 50
    assert during.open_files == before.open_files + 1
    assert abs(during.rss_bytes - process.memory_info().rss) < 20 << 20
    assert 0 < during.heap_bytes <= during.rss_bytes
    assert 1 <= during.num_cpu <= os.cpu_count()
    assert (during.tasks, task_count()) == (0, 0)


async def test_tasks_are_those_of_the_running_loop():
    """The one that asks is among them."""
    others = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(3)]
    assert (task_count(), take_snapshot().tasks) == (4, 4)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert task_count() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_measures_itself():
    """Not the process it came from."""
    take_snapshot()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(take_snapshot().threads).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    assert int(os.read(reading, 10)) >= 1
    os.close(reading)
