"""Cancellation ends what is under way, begins nothing more, and is never swallowed."""

import asyncio
import itertools
import random

import pytest

from mist.parallel import Pool, RateLimiter, do, fan_out, stream
from mist.parallel import map as pmap


async def _read(results):
    async for _ in results:
        pass


def _ways(work):
    limiter = RateLimiter(1000, 1.0, clock=lambda: asyncio.get_running_loop().time())
    return {
        "map": lambda: pmap(Pool(4), range(50), work),
        "do": lambda: do(Pool(4), range(50), work),
        "fan out": lambda: fan_out(Pool(4), 0, [work] * 50),
        "stream": lambda: _read(stream(Pool(4), itertools.count(), work)),
        "paced": lambda: pmap(Pool(4, rate=limiter), range(50), work),
    }


WAYS = list(_ways(None))


@pytest.mark.parametrize("way", WAYS)
def test_cancelling_at_any_moment_leaves_nothing_behind(way, virtually):
    """What was begun is ended, nothing more is begun, and no task is left."""

    async def run(seed):
        chance = random.Random(seed)
        others = asyncio.all_tasks()
        begun = ended = 0

        async def work(_):
            nonlocal begun, ended
            begun += 1
            try:
                await asyncio.sleep(chance.choice([0, 0, 0.5, 1]))
                if chance.random() < 0.2:
                    raise LookupError
            finally:
                ended += 1

        task = asyncio.create_task(_ways(work)[way]())
        for _ in range(chance.randrange(8)):
            await asyncio.sleep(chance.choice([0, 0, 0.5, 1]))
        task.cancel()
        at_most = begun + 4  # as many as may be on their way into their first step
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert begun == ended <= at_most
        await asyncio.sleep(10)
        assert begun == ended <= at_most
        assert asyncio.all_tasks() == others

    for seed in range(60):
        virtually(run(seed))


@pytest.mark.parametrize("way", WAYS)
def test_an_enclosing_timeout_fires(way, virtually):
    """A deadline around the whole is kept to."""

    async def run():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await _ways(lambda _: asyncio.sleep(3600))[way]()
        assert asyncio.current_task().cancelling() == 0

    virtually(run())


def test_items_that_take_their_time_to_end_are_waited_for(virtually):
    """Even where the caller is cancelled a second time meanwhile."""

    async def run():
        cleaned = []

        async def work(n):
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(1)
                cleaned.append(n)

        task = asyncio.create_task(pmap(Pool(3), range(3), work))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert sorted(cleaned) == [0, 1, 2]

    virtually(run())


def test_a_cancelled_wait_for_a_turn_takes_nothing(virtually):
    """Whenever it happens, the others have their turns in time and in order."""

    async def run(seed):
        chance = random.Random(seed)
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(3, 1.0, clock=loop.time)
        turns = []

        async def wait(n):
            await limiter.wait(chance.randint(1, 3))
            turns.append(n)

        tasks = [asyncio.create_task(wait(n)) for n in range(20)]
        for _ in range(10):
            await asyncio.sleep(chance.choice([0, 0.3, 1]))
            victim = chance.choice(tasks)
            if victim.cancel():
                await asyncio.gather(victim, return_exceptions=True)
                assert victim.cancelled()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert turns == sorted(turns)
        assert limiter.waiting == 0
        await asyncio.sleep(2)
        for _ in range(3):
            assert limiter.try_take()

    for seed in range(60):
        virtually(run(seed))
