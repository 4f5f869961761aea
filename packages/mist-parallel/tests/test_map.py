"""All results, in the order of the inputs, whatever happens to each."""

import asyncio
import contextvars
import itertools
import logging
import threading
import time

import pytest

from mist.parallel import ParallelError, Pool, do, fan_out
from mist.parallel import map as pmap


def test_results_come_in_the_order_of_the_inputs(virtually):
    """Also where the last input is done first."""

    async def slow_first(n):
        await asyncio.sleep(10 - n)
        return n * n

    results = virtually(pmap(Pool(4), range(10), slow_first))
    assert [result.unwrap() for result in results] == [n * n for n in range(10)]
    assert [(result.index, result.input) for result in results] == [(n, n) for n in range(10)]


async def test_an_exception_is_its_inputs_result():
    """It disturbs no other, and `unwrap` raises it."""

    async def invert(n):
        return 1 / n

    results = await pmap(Pool(2), [2, 0, 4], invert)
    assert [result.ok for result in results] == [True, False, True]
    assert [result.value for result in results] == [0.5, None, 0.25]
    assert isinstance(results[1].error, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        results[1].unwrap()
    assert repr(results[0]) == "Result(index=0, value=0.5)"
    assert "error=ZeroDivisionError" in repr(results[1])


async def test_an_input_that_cancels_itself_is_its_own_result():
    """A cancellation from inside is not the caller's."""

    async def work(n):
        if n == 1:
            raise asyncio.CancelledError
        return n

    results = await pmap(Pool(2), range(3), work)
    assert isinstance(results[1].error, asyncio.CancelledError)
    assert [result.value for result in results] == [0, None, 2]
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("workers", [1, 3, 64])
async def test_as_many_as_there_are_workers_at_a_time(workers):
    """Never more, and as many as that where there is enough to do."""
    under_way = most = 0

    async def work(n):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(1 + n % 5):
            await asyncio.sleep(0)
        under_way -= 1

    assert len(await pmap(Pool(workers), range(300), work)) == 300
    assert (under_way, most) == (0, workers)


async def test_inputs_are_taken_as_they_are_needed():
    """A generator is asked for no more than is worked on."""
    taken = done = 0
    furthest = 0

    def inputs():
        nonlocal taken
        for n in range(50):
            taken += 1
            yield n

    async def work(_):
        nonlocal done, furthest
        furthest = max(furthest, taken - done)
        await asyncio.sleep(0)
        done += 1

    await pmap(Pool(4), inputs(), work)
    assert furthest <= 4


async def test_what_the_inputs_raise_is_raised_when_the_rest_is_done():
    """Nothing that was begun is cut off."""
    done = []

    def inputs():
        yield from (1, 2)
        raise LookupError("the list ends here")

    async def work(n):
        await asyncio.sleep(0)
        done.append(n)

    with pytest.raises(LookupError, match="the list ends here"):
        await pmap(Pool(4), inputs(), work)
    assert done == [1, 2]


async def test_no_inputs_no_results():
    """An empty list is no trouble."""
    assert await pmap(Pool(4), [], asyncio.sleep) == []


async def test_each_input_has_a_context_of_its_own():
    """It sees the caller's variables, and what it sets stays with it."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("caller's")
    seen = []

    async def work(n):
        seen.append(variable.get())
        variable.set(n)
        await asyncio.sleep(0)

    await pmap(Pool(2), range(6), work)
    assert seen == ["caller's"] * 6
    assert variable.get() == "caller's"


async def test_plain_functions_run_in_threads():
    """As many at a time as there are workers, be there fewer processors, with the context."""
    variable = contextvars.ContextVar("variable")
    variable.set("caller's")
    everybody = threading.Barrier(40, timeout=30)

    def work(n):
        everybody.wait()
        return n, variable.get(), threading.current_thread() is threading.main_thread()

    results = await pmap(Pool(40), range(40), work)
    assert [result.unwrap() for result in results] == [(n, "caller's", False) for n in range(40)]


async def test_what_a_plain_function_makes_to_be_awaited_is_awaited():
    """Such as a lambda around a coroutine function."""
    results = await pmap(Pool(2), range(3), lambda n: asyncio.sleep(0, n))
    assert [result.value for result in results] == [0, 1, 2]


async def test_progress_is_told_after_each():
    """How many are done, and of how many, where that is known."""
    told = []
    await pmap(Pool(2), [1, 2, 3], _nothing, on_progress=lambda *seen: told.append(seen))
    await pmap(Pool(2), iter([1]), _nothing, on_progress=lambda *seen: told.append(seen))
    assert told == [(1, 3), (2, 3), (3, 3), (1, None)]


async def test_progress_that_raises_costs_no_result(caplog):
    """It is logged once, and not called again."""
    with caplog.at_level(logging.WARNING, "mist.parallel"):
        results = await pmap(Pool(2), range(3), _nothing, on_progress=lambda *_: 1 / 0)
    assert [result.ok for result in results] == [True] * 3
    assert caplog.text.count("on_progress raised") == 1


async def test_do_raises_the_first_error_in_the_inputs_order():
    """With a note of how many there were; all inputs are worked on."""
    done = []

    async def work(n):
        for _ in range(5 - n):
            await asyncio.sleep(0)
        done.append(n)
        if n % 2:
            raise LookupError(n)

    with pytest.raises(LookupError, match="1") as raised:
        await do(Pool(5), range(5), work)
    assert sorted(done) == list(range(5))
    assert raised.value.__notes__ == ["input 1; 2 of 5 inputs failed"]
    assert await do(Pool(5), [0, 2], work) is None


async def test_fan_out_gives_one_input_to_many():
    """Coroutine functions and others, in their order."""

    async def double(n):
        return 2 * n

    results = await fan_out(Pool(2), 10, [double, lambda n: n + 1, lambda _: 1 / 0])
    assert [result.value for result in results] == [20, 11, None]
    assert [result.input for result in results] == [10, 10, 10]


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, None])
def test_a_pool_of_nothing_is_refused(workers):
    """The error says what it has to be, and what it was."""
    with pytest.raises(ParallelError, match="workers must be an integer of 1 or more") as refused:
        Pool(workers)
    assert refused.value.code == "validation"


async def test_a_pool_inside_of_itself_does_not_wait_for_itself():
    """Each call has the workers to itself."""
    pool = Pool(1)

    async def outer(n):
        return [result.value for result in await pmap(pool, range(n), _same)]

    assert (await pmap(pool, [2], outer))[0].value == [0, 1]


def test_memory_does_not_grow_with_what_is_under_way(virtually):
    """Ten thousand inputs make at most as many tasks as there are workers, and a little."""

    async def run():
        most = 0

        async def work(_):
            nonlocal most
            most = max(most, len(asyncio.all_tasks()))
            await asyncio.sleep(0)

        others = len(asyncio.all_tasks())
        await pmap(Pool(8), itertools.repeat(0, 10_000), work)
        assert most <= others + 8 + 1

    virtually(run())


async def test_the_loop_stays_free_while_threads_work():
    """Other tasks go on."""
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    # Real time: a thread that blocks cannot be moved along by a virtual clock.
    await pmap(Pool(2), [0.02, 0.02], time.sleep)
    ticking.cancel()
    assert ticks > 5


async def _nothing(_):
    pass


async def _same(value):
    return value
