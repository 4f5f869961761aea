"""Many small things at a time, against a semaphore and gather."""

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator, Generator
from itertools import count

from mist.parallel import Pool, stream
from mist.parallel import map as parallel_map
from tools.bench.pair import AsyncPair
from tools.bench.row import Rows, Unit, at_most

ROWS = Rows("parallel")

_INPUTS = 10_000
_WORKERS = 64


async def _work(number: int) -> int:
    return number


@ROWS.awaits(
    f"map, {_INPUTS} no-op coroutines, {_WORKERS} workers",
    at_most(1.3),
    against="asyncio.Semaphore + gather",
    per_call=_INPUTS,
)
async def mapped() -> AsyncGenerator[AsyncPair]:
    """The same coroutine, as many at a time."""
    pool = Pool(_WORKERS)

    async def ours() -> None:
        await parallel_map(pool, range(_INPUTS), _work)

    async def peer() -> None:
        semaphore = asyncio.Semaphore(_WORKERS)

        async def one(number: int) -> int:
            async with semaphore:
                return await _work(number)

        await asyncio.gather(*(one(number) for number in range(_INPUTS)))

    yield AsyncPair(ours=ours, peer=peer)


@ROWS.rounds(
    "stream, peak memory of 50,000 inputs",
    at_most(1.3),
    against="stream, 1,000 inputs",
    unit=Unit.BYTES,
    rounds=3,
)
def memory() -> Generator[tuple[float, float]]:
    """What is streamed takes no memory for having been many."""
    while True:
        yield asyncio.run(_peak(50_000)), asyncio.run(_peak(1_000))


async def _peak(inputs: int) -> float:
    tracemalloc.start()
    try:
        async for result in stream(Pool(_WORKERS), count(), _work):
            if result.index == inputs:
                break
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
