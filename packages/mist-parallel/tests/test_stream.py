"""Results as they are done, of inputs that may never end."""

import asyncio
import contextlib
import itertools
import tracemalloc
from contextlib import aclosing

import pytest

from mist.parallel import Pool, stream


def test_what_is_done_first_comes_first(virtually):
    """The index tells which it is."""

    async def run():
        found = [r.index async for r in stream(Pool(3), [3, 1, 2], asyncio.sleep)]
        assert found == [1, 2, 0]

    virtually(run())


async def test_errors_are_results():
    """They end nothing."""

    async def invert(n):
        return 1 / n

    found = {r.index: r async for r in stream(Pool(2), [1, 0, 2], invert)}
    assert isinstance(found[1].error, ZeroDivisionError)
    assert (found[0].value, found[2].value) == (1.0, 0.5)


async def test_an_endless_source_takes_bounded_memory():
    """Fifty thousand results of an endless async iterable, read one by one."""

    async def endless():
        for n in itertools.count():
            yield bytes(1000) + n.to_bytes(8)

    async def work(item):
        await asyncio.sleep(0)
        return item

    seen = 0
    tracemalloc.start()
    try:
        async with aclosing(stream(Pool(8), endless(), work)) as results:
            async for _ in results:
                seen += 1
                if seen == 2000:
                    begun, _peak = tracemalloc.get_traced_memory()
                    tracemalloc.reset_peak()
                if seen == 20_000:
                    break
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - begun < 200_000


async def test_a_slow_reader_slows_the_work_down():
    """No more is begun than may wait to be fetched."""
    begun = 0

    async def work(n):
        nonlocal begun
        begun += 1
        return n

    async with aclosing(stream(Pool(4), itertools.count(), work)) as results:
        async for result in results:
            for _ in range(20):
                await asyncio.sleep(0)
            assert begun <= result.index + 1 + 4
            if result.index == 30:
                break


async def test_inputs_come_from_an_async_source_while_others_are_worked_on():
    """A source that waits does not hold back the results of what it has given."""
    go_on = asyncio.Event()

    async def source():
        yield 1
        await go_on.wait()
        yield 2

    found = []
    async for result in stream(Pool(2), source(), _same):
        found.append(result.value)
        go_on.set()
    assert found == [1, 2]


@pytest.mark.parametrize("how", ["aclosing", "break"])
async def test_leaving_early_cleans_up(how):
    """What is under way is cancelled; nothing is left behind."""
    ended = 0
    others = asyncio.all_tasks()

    async def work(n):
        nonlocal ended
        try:
            await asyncio.sleep(0 if n == 0 else 3600)
        finally:
            ended += 1

    if how == "aclosing":
        async with aclosing(stream(Pool(5), itertools.count(), work)) as results:
            async for _ in results:
                break
        assert asyncio.all_tasks() == others
    else:
        async for _ in stream(Pool(5), itertools.count(), work):
            break
        for _ in range(10):
            await asyncio.sleep(0)
    assert ended >= 5
    assert asyncio.all_tasks() == others


@pytest.mark.parametrize("ending", ["aclosing", "cancelled", "read to the end"])
async def test_an_async_source_is_closed_before_the_stream_is_over(ending):
    """Whether it waits for its next item or for room, its clean-up is done, and by nobody else."""
    others = asyncio.all_tasks()
    closed = []

    async def source():
        try:
            for n in range(10) if ending == "read to the end" else itertools.count():
                yield n
        finally:
            await asyncio.sleep(0)
            closed.append(1)

    async def read():
        async with aclosing(stream(Pool(2), kept, _same)) as results:
            async for result in results:
                if ending == "aclosing" and result.index == 5:
                    break
                if ending == "cancelled" and result.index == 5:
                    await asyncio.sleep(3600)

    kept = source()
    reading = asyncio.create_task(read())
    for _ in range(100):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert closed == [1]
    for _ in range(3):
        assert asyncio.all_tasks() == others
        await asyncio.sleep(0)


async def test_a_source_that_misses_its_cancellation_is_asked_no_more():
    """What it gives all the same is not begun, and the stream ends."""

    class Deaf:
        given = 0

        def __aiter__(self):
            return self

        async def __anext__(self):
            if self.given == 20:
                raise StopAsyncIteration
            self.given += 1
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
            return self.given

    async def work(number):
        begun.append(number)

    begun = []
    source = Deaf()
    async with aclosing(stream(Pool(50), source, work)) as results:
        await anext(results)
    assert begun == [1]
    assert source.given == 2


async def test_leaving_early_schedules_nothing():
    """No generator of our own is left for the event loop to close."""
    others = asyncio.all_tasks()
    async with aclosing(stream(Pool(2), range(9), _same)) as results:
        await anext(results)
    for _ in range(3):
        assert asyncio.all_tasks() == others
        await asyncio.sleep(0)


async def test_what_the_source_raises_comes_after_the_results():
    """None of them is lost."""

    async def source():
        yield 1
        yield 2
        raise LookupError("the source has dried up")

    results = stream(Pool(2), source(), _same)
    found = [(await anext(results)).value, (await anext(results)).value]
    with pytest.raises(LookupError, match="dried up"):
        await anext(results)
    assert sorted(found) == [1, 2]


async def test_plain_functions_run_in_threads():
    """A stream takes them as `map` does."""
    found = sorted([r.value async for r in stream(Pool(3), range(5), lambda n: n * n)])
    assert found == [0, 1, 4, 9, 16]


async def _same(value):
    return value
