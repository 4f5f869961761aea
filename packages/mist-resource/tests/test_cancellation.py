"""Cancellation gives back what was taken, and is never swallowed."""

import asyncio
import random

import pytest

from mist.resource import Limiter, MemoryBudget


def _ways(limiter, budget):
    async def by_hand():
        await limiter.acquire()
        try:
            await asyncio.sleep(1)
        finally:
            limiter.release()

    async def block():
        async with limiter:
            await asyncio.sleep(1)

    async def task():
        running = await limiter.go(asyncio.sleep(1))
        try:
            await running
        finally:
            running.cancel()

    async def bytes_():
        async with budget.reserving(60, wait=True):
            await asyncio.sleep(1)

    return {"by hand": by_hand, "block": block, "task": task, "bytes": bytes_}


@pytest.mark.parametrize("way", ["by hand", "block", "task", "bytes"])
def test_cancelling_at_any_moment_leaves_everything_given_back(way, virtually):
    """Whenever tasks are cancelled, even in the moment of their turn, nothing stays taken."""

    async def run(seed):
        chance = random.Random(seed)
        others = asyncio.all_tasks()
        limiter, budget = Limiter("slots", 2), MemoryBudget("bytes", 100)
        work = _ways(limiter, budget)[way]
        tasks = [asyncio.create_task(work()) for _ in range(10)]
        for _ in range(8):
            # Whole steps, so that some cancellations meet the very moment of a turn.
            await asyncio.sleep(chance.choice([0, 0, 1, 0.5]))
            victim = chance.choice(tasks)
            if victim.cancel():
                await asyncio.gather(victim, return_exceptions=True)
                assert victim.cancelled()
        await asyncio.gather(*tasks, return_exceptions=True)
        await limiter.drain()
        assert (limiter.active, limiter.waiting) == (0, 0)
        assert (budget.reserved, budget.waiting) == (0, 0)
        assert asyncio.all_tasks() == others

    for seed in range(100):
        virtually(run(seed))


@pytest.mark.parametrize("way", ["by hand", "block", "task", "bytes"])
def test_an_enclosing_timeout_fires(way, virtually):
    """A deadline around the wait is kept to, and leaves the queue."""

    async def run():
        limiter, budget = Limiter("slots", 1), MemoryBudget("bytes", 100)
        await limiter.acquire()
        budget.reserve(100)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await _ways(limiter, budget)[way]()
        assert asyncio.current_task().cancelling() == 0
        assert (limiter.waiting, budget.waiting) == (0, 0)

    virtually(run())


async def test_a_turn_that_comes_with_the_cancellation_goes_to_the_next():
    """A slot granted to one who is cancelled in the same step is not lost."""
    limiter = Limiter("slots", 1)
    await limiter.acquire()
    first = asyncio.create_task(limiter.acquire())
    second = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    limiter.release()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert first.cancelled()
    await asyncio.wait_for(second, 30)
    assert (limiter.active, limiter.total) == (1, 2)
