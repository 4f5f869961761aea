"""How it is measured: ours and peer in turn, so that a slow moment of the machine hits both.

Each round takes one sample of either side, one right after the other, and alternates who is first.
A sample is a calibrated number of calls with the collector off, after a full collection.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import partial
from itertools import islice, repeat
from typing import TypeAlias

from tools.bench.pair import AsyncPair, Pair

Rounds: TypeAlias = list[tuple[float, float]]
Clock: TypeAlias = Callable[[], float]
Sample: TypeAlias = Callable[[int], float]  # seconds for that many calls


@dataclass(frozen=True, slots=True)
class Plan:
    """How much time to spend: `rounds` of samples of at least `sample` seconds each.

    `at_most` caps the rounds of what measures itself, which may take seconds each.
    """

    rounds: int = 15
    sample: float = 0.02
    at_most: int = 1_000

    @classmethod
    def quick(cls) -> "Plan":
        """Plan for a first look, noisier than it should be."""
        return cls(rounds=5, sample=0.005, at_most=3)


def measure_calls(
    setup: Callable[[], Generator[Pair]], per_call: int, clock: Clock, plan: Plan
) -> Rounds:
    """Compare two functions; figures are seconds for one of the things done `per_call`."""

    def sample(function: Callable[[], object], count: int) -> float:
        with _collector_off():
            started = clock()
            for _ in repeat(None, count):
                function()
            return clock() - started

    with contextlib.contextmanager(setup)() as pair:
        return _in_turn(partial(sample, pair.ours), partial(sample, pair.peer), per_call, plan)


def measure_awaits(
    setup: Callable[[], AsyncGenerator[AsyncPair]], per_call: int, clock: Clock, plan: Plan
) -> Rounds:
    """Compare two coroutine functions inside one event loop, as `measure_calls` does."""

    async def sample(function: Callable[[], Awaitable[object]], count: int) -> float:
        with _collector_off():
            started = clock()
            for _ in repeat(None, count):
                await function()
            return clock() - started

    with asyncio.Runner() as runner:

        def timed(function: Callable[[], Awaitable[object]], count: int) -> float:
            return runner.run(sample(function, count))

        context = contextlib.asynccontextmanager(setup)()
        pair = runner.run(context.__aenter__())
        try:
            return _in_turn(partial(timed, pair.ours), partial(timed, pair.peer), per_call, plan)
        finally:
            runner.run(context.__aexit__(None, None, None))


def measure_rounds(
    measured: Callable[[], Generator[tuple[float, float]]], rounds: int, plan: Plan
) -> Rounds:
    """Take rounds from a generator, and close it so that it tears down what it set up."""
    with contextlib.closing(measured()) as generator:
        return list(islice(generator, min(rounds, plan.at_most)))


def _in_turn(ours: Sample, peer: Sample, per_call: int, plan: Plan) -> Rounds:
    """Sample both sides in every round, the one that was second before now first."""
    samples = (ours, peer)
    counts = [_calibrate(sample, plan.sample) for sample in samples]
    rounds: Rounds = []
    for number in range(plan.rounds):
        taken = [0.0, 0.0]
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            taken[side] = samples[side](counts[side]) / counts[side] / per_call
        rounds.append((taken[0], taken[1]))
    return rounds


def _calibrate(sample: Sample, wanted: float) -> int:
    """Find how many calls take the wanted time; this warms up as well."""
    count, taken = 1, sample(1)
    while taken < wanted:
        guess = round(count * wanted / max(taken, 1e-9) * 1.1)
        count = min(count * 10, max(count + 1, guess))
        taken = sample(count)
    return count


@contextlib.contextmanager
def _collector_off() -> Generator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
