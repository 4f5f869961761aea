"""What users write, checked by mypy and pyright and never run."""

import asyncio
from typing import assert_type

from mist.resource import Limiter, MemoryBudget, Monitor, Snapshot, heap_usage, take_snapshot


async def use() -> None:
    """Use everything once."""
    limiter = Limiter("db", max=3)
    async with limiter as entered:
        assert_type(entered, Limiter)
    with limiter:
        pass
    assert_type(await limiter.go(asyncio.sleep(0, "result")), asyncio.Task[str])
    assert_type(limiter.try_acquire(), bool)
    budget = MemoryBudget("batch", 1 << 30)
    async with budget.reserving(1 << 20, wait=True):
        pass
    with budget.reserving(1 << 20):
        pass
    monitor = Monitor()
    monitor.track(limiter)
    monitor.track_budget(budget)
    assert_type(monitor.status(), dict[str, dict[str, int]])
    assert_type(take_snapshot(), Snapshot)
    assert_type(heap_usage(), int)
