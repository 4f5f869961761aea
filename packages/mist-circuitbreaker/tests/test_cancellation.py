"""Cancellation gives the permit back, counts as nothing, and is never swallowed."""

import asyncio
import contextlib
import random

import pytest

from mist.circuitbreaker import Breaker, CircuitOpenError, State

KINDS = ["do", "fallback", "protect", "block", "stream"]


def _way(breaker, kind, work):
    """One call of `work`, in each form that a breaker offers."""

    async def block():
        async with breaker:
            await work()

    @breaker.protect
    async def stream():
        await work()
        yield

    async def read():
        async for _ in stream():
            pass

    async def no_fallback(refusal):
        raise refusal

    return {
        "do": lambda: breaker.do(work),
        "fallback": lambda: breaker.do_with_fallback(work, no_fallback),
        "protect": breaker.protect(work),
        "block": block,
        "stream": read,
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_cancelling_at_any_moment_leaves_the_circuit_usable(kind, virtually):
    """Whenever callers are cancelled, every permit comes back and no cancellation counts."""

    async def run(seed):
        chance = random.Random(seed)
        others = asyncio.all_tasks()
        loop = asyncio.get_running_loop()
        breaker = Breaker(threshold=3, timeout=1.0, half_open_max=2, clock=loop.time)
        failures = 0

        async def work():
            nonlocal failures
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(chance.random())
            if chance.random() < 0.5:
                failures += 1
                raise ConnectionError("gone")

        call = _way(breaker, kind, work)
        tasks = []
        for _ in range(20):
            tasks.append(asyncio.create_task(call()))
            await asyncio.sleep(chance.random() / 4)
            victim = chance.choice(tasks)
            if chance.random() < 0.5 and not victim.done():
                victim.cancel()
                await asyncio.gather(victim, return_exceptions=True)
                assert victim.cancelled()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert breaker.counts()[1] == failures
        await asyncio.sleep(1.0)
        async with contextlib.AsyncExitStack() as probes:
            for _ in range(2):  # as many as a half-open circuit lets through
                await probes.enter_async_context(breaker)
        assert breaker.state is State.CLOSED
        assert asyncio.all_tasks() == others

    for seed in range(100):
        virtually(run(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_cancellations_never_open_the_circuit(kind, virtually):
    """A caller that gave up says nothing about what it called."""

    async def run():
        breaker = Breaker(threshold=1)
        call = _way(breaker, kind, asyncio.Event().wait)
        tasks = [asyncio.create_task(call()) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() for task in tasks)
        assert breaker.state is State.CLOSED
        assert breaker.counts() == (0, 0)

    virtually(run())


@pytest.mark.parametrize("kind", KINDS)
def test_an_enclosing_timeout_fires_and_counts_as_nothing(kind, virtually):
    """The deadline around the breaker is the caller's; one inside the call is the call's."""

    async def slow():
        await asyncio.sleep(60)

    async def impatient():
        async with asyncio.timeout(1):
            await asyncio.sleep(60)

    async def run():
        breaker = Breaker(threshold=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await _way(breaker, kind, slow)()
        assert asyncio.current_task().cancelling() == 0
        assert breaker.state is State.CLOSED
        with pytest.raises(TimeoutError):
            await _way(breaker, kind, impatient)()
        assert breaker.state is State.OPEN
        with pytest.raises(CircuitOpenError):
            await _way(breaker, kind, slow)()

    virtually(run())


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_does_not_count(error):
    """Ctrl-C during a call passes through and opens nothing."""
    breaker = Breaker(threshold=1)

    def interrupted():
        raise error

    with pytest.raises(error):
        breaker.do_sync(interrupted)
    assert breaker.state is State.CLOSED
