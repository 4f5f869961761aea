"""What users write, checked by mypy and pyright and never run."""

from collections.abc import AsyncIterator
from typing import assert_type

from mist.parallel import Grant, Pool, RateLimiter, Result, do, fan_out, map_sync, stream
from mist.parallel import map as pmap


async def _measure(text: str) -> int:
    return len(text)


def _measure_in_thread(text: str) -> int:
    return len(text)


async def _texts() -> AsyncIterator[str]:
    yield "text"


async def use() -> None:
    """Use everything once."""
    limiter = RateLimiter(100, 60.0)
    pool = Pool(4, rate=limiter)
    results = await pmap(pool, ["a"], _measure, on_progress=print)
    assert_type(results, list[Result[int]])
    assert_type(results[0].unwrap(), int)
    assert_type(await pmap(pool, ["a"], _measure_in_thread), list[Result[int]])
    assert_type(await fan_out(pool, "a", [_measure, _measure]), list[Result[int]])
    await do(pool, ["a"], _measure)
    async for result in stream(pool, _texts(), _measure):
        assert_type(result.value, int | None)
    assert_type(map_sync(pool, ["a"], _measure_in_thread, on="processes"), list[Result[int]])
    assert_type(await limiter.wait(3), Grant)
    async with limiter.pacing(3) as grant:
        grant.correct(2)
