"""Metrics of the process itself."""

import asyncio
import builtins
import os
import time
from pathlib import Path

import psutil
import pytest

from mist.metrics import Registry
from mist.metrics.process import ProcessMetrics, from_proc, from_psutil

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


@pytest.fixture
def registry():
    """A registry that measures this process."""
    registry = Registry()
    registry.add_process_metrics()
    return registry


def test_they_are_there_at_every_snapshot(registry):
    """Processor time only grows; the rest is what it is at that moment."""
    before = registry.snapshot()
    busy = time.process_time() + 0.05
    while time.process_time() < busy:
        pass
    after = registry.snapshot()
    spent = after.counters["process_cpu_ms"].value - before.counters["process_cpu_ms"].value
    assert 49 <= spent < 10_000
    assert after.gauges["process_threads"].value >= 1


@pytest.mark.parametrize("read", [pytest.param(from_proc, marks=linux), from_psutil])
def test_the_system_tells_memory_files_threads_and_start(read):
    """/proc and psutil tell the same, within what changes between two looks."""
    process = psutil.Process()
    found = dict(read())
    assert found["process_resident_memory_bytes"] == pytest.approx(
        process.memory_info().rss, rel=0.2
    )
    assert found["process_threads"] == process.num_threads()
    assert found["process_start_time_seconds"] == pytest.approx(process.create_time(), abs=2)
    if os.name == "posix":
        assert found["process_open_fds"] == pytest.approx(process.num_fds(), abs=1)


@linux
def test_open_files_are_counted():
    """One more open file is one more."""
    before = dict(from_proc())["process_open_fds"]
    with Path(os.devnull).open("rb"):
        assert dict(from_proc())["process_open_fds"] == before + 1
    assert dict(from_proc())["process_open_fds"] == before


async def test_tasks_of_the_event_loop_are_counted(registry):
    """Inside a loop its tasks are a gauge; without one there is none."""
    assert "asyncio_tasks" not in await asyncio.to_thread(lambda: registry.snapshot().gauges)
    tasks = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]
    assert registry.snapshot().gauges["asyncio_tasks"].value == 4
    for task in tasks:
        task.cancel()


async def test_a_scrape_counts_the_tasks_of_the_server(registry, web_app, get):
    """The snapshot is taken in a thread, and knows for which loop."""
    answer = await get(await web_app(registry.handler()))
    assert b'"asyncio_tasks"' in answer.body


def test_adding_them_twice_adds_them_once(registry):
    """A library and its application may both ask for them."""
    registry.add_process_metrics()
    assert len(registry._before) == 1


def test_what_cannot_be_read_is_left_out():
    """At the limit of open files, say, the rest is told."""

    def failing():
        yield "process_threads", 7
        raise OSError(24, "Too many open files")

    registry = Registry()
    registry.before_snapshot(ProcessMetrics(registry, failing))
    gauges = registry.snapshot().gauges
    assert {each.name: each.value for each in gauges.values()} == {"process_threads": 7}


def test_without_psutil_python_tells_what_it_knows(monkeypatch):
    """On a system without /proc the extra is a gain and no need."""
    real = builtins.__import__

    def without(name, *args):
        if name == "psutil":
            raise ModuleNotFoundError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    assert dict(from_psutil()).keys() == {"process_threads"}


def test_a_failing_psutil_never_raises(monkeypatch):
    """A process that the system denies a look is left out."""

    def denied(_self):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "memory_info", denied)
    registry = Registry()
    registry.before_snapshot(ProcessMetrics(registry, from_psutil))
    assert "process_threads" in registry.snapshot().gauges
