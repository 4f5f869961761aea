"""Packages that keep a long run alive fit together by their shapes alone."""

import asyncio
import functools
import io

import aiohttp
import pytest

from mist.checkpoint import checkpointed_map
from mist.checkpoint import open as open_run
from mist.circuitbreaker import Breaker
from mist.health import Handler
from mist.lifecycle import request_shutdown, run_async, shutting_down
from mist.metrics import Registry
from mist.output import progress
from mist.parallel import Pool, RateLimiter
from mist.parallel import map as parallel_map
from mist.retry import Policy, do, without_waiting
from mist.server import Server


@pytest.mark.parametrize("whole", [True, False], ids=["a pool", "a map"])
async def test_a_map_over_a_pool_resumes_where_it_ended(tmp_path, whole):
    """What the first run completed is not done again, and what failed is."""
    pool = Pool(8, rate=RateLimiter(10_000, 1.0))
    how = pool if whole else functools.partial(parallel_map, pool)
    done = []

    async def work(item, failing):
        if item in failing:
            raise ConnectionError(item)
        done.append(item)
        return item * item

    async with open_run(tmp_path, "run") as tracker:
        first = await checkpointed_map(
            tracker, how, range(100), functools.partial(work, failing={7, 50})
        )
    assert [each.error is None for each in first].count(False) == 2
    async with open_run(tmp_path, "run") as tracker:
        second = await checkpointed_map(
            tracker, how, range(100), functools.partial(work, failing=())
        )
    assert [each.value for each in second] == [n * n for n in range(100)]
    assert sorted(done) == list(range(100))


async def test_progress_counts_what_a_pool_does():
    """A `Progress` of mist.output is what `on_progress` takes."""
    shown = io.StringIO()
    with progress(None, "tasks", stream=shown, interval=0.0) as bar:
        await parallel_map(Pool(4), range(20), _nothing, on_progress=bar)
    assert bar.done == bar.total == 20
    assert "20/20" in shown.getvalue()


async def test_retries_around_a_breaker_wait_for_it():
    """An open circuit is an error that passes, whose `retry_after` the policy honours."""
    calls = 0
    breaker = Breaker(threshold=2, timeout=0.02)

    async def flaky():
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise ConnectionError("gone")
        return "well"

    policy = Policy(max_attempts=5, initial_wait=0.001, max_wait=1.0)
    assert await do(policy, lambda: breaker.do(flaky)) == "well"
    assert (calls, breaker.counts()) == (3, (1, 2))


async def test_a_pool_of_retries_reports_what_it_did():
    """Parallel inputs, each with its retries, counted by a registry."""
    metrics = Registry()
    seen = set()

    async def flaky(n):
        metrics.counter("attempts").inc()
        if n not in seen:
            seen.add(n)
            raise ConnectionError(n)
        return n

    with without_waiting():
        results = await parallel_map(Pool(4), range(20), lambda n: do(Policy(), lambda: flaky(n)))
    assert [result.value for result in results] == list(range(20))
    assert metrics.counter("attempts").value == 40


async def test_a_lifecycle_ends_a_server_in_order():
    """Readiness fails first, requests in flight are answered, and main's result comes back."""
    health = Handler("service", "1.0")
    server = Server("127.0.0.1:0")
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request):
        from starlette.responses import PlainTextResponse

        arrived.set()
        await go_on.wait()
        return PlainTextResponse("done")

    server.handle("GET /slow", slow)
    server.handle("GET /readyz", health.readiness())
    seen = []

    async def main():
        async with server, aiohttp.ClientSession(server.url) as session:
            asking = asyncio.create_task(session.get("/slow"))
            await arrived.wait()
            request_shutdown()
            await shutting_down().wait()
            async with session.get("/readyz") as response:
                seen.append(response.status)
            go_on.set()
            await server.shutdown()
            async with await asking as response:
                return await response.text()

    assert await run_async(main, readiness=health, signals=False) == "done"
    assert seen == [503]


async def _nothing(_):
    pass
