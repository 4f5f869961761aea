"""Parallel work that goes on where it was interrupted."""

import asyncio
import functools
from types import SimpleNamespace

import pytest

from mist import checkpoint
from mist.checkpoint import CheckpointError, InvalidValue, Outcome, checkpointed_map


class Pool:
    """As much of a pool of mist.parallel as is needed."""

    def __init__(self, workers, rate=None):
        self.workers, self.rate = workers, rate


async def pool_map(pool, inputs, fn):
    """Map as `mist.parallel.map` does: results in order, with `value` and `error`."""
    room = asyncio.Semaphore(pool.workers)

    async def one(item):
        async with room:
            try:
                return SimpleNamespace(value=await fn(item), error=None)
            except Exception as exc:  # noqa: BLE001  # an exception is that item's result
                return SimpleNamespace(value=None, error=exc)

    return await asyncio.gather(*(one(item) for item in inputs))


@pytest.fixture(params=["workers", "map"])
def pool(request):
    """Both ways to say how to work in parallel, four at a time."""
    return Pool(4) if request.param == "workers" else functools.partial(pool_map, Pool(4))


async def test_outcomes_come_in_the_order_of_the_items(tmp_path, pool):
    """Whatever order the work ends in; no more is done at a time than there are workers."""
    active, most = set(), [0]

    async def work(item):
        active.add(item)
        most[0] = max(most[0], len(active))
        await asyncio.sleep((20 - item) / 2000)
        active.remove(item)
        return item * 10

    async with checkpoint.open(tmp_path, "run") as tracker:
        outcomes = await checkpointed_map(tracker, pool, range(20), work)
        assert tracker.is_completed("19")
    assert [outcome.unwrap() for outcome in outcomes] == [item * 10 for item in range(20)]
    assert [(outcome.index, outcome.input) for outcome in outcomes] == [(n, n) for n in range(20)]
    assert most == [4]


async def test_a_resumed_map_works_on_the_rest_only(tmp_path, pool):
    """A failed item is its own outcome, and the next run tries it again."""
    calls = []

    async def work(item):
        calls.append(item)
        await asyncio.sleep(0)
        if item == "c" and len(calls) < 10:
            raise RuntimeError("not yet")
        return item.upper()

    async with checkpoint.open(tmp_path, "run") as tracker:
        outcomes = await checkpointed_map(tracker, pool, "abcde", work)
        assert [outcome.ok for outcome in outcomes] == [True, True, False, True, True]
        with pytest.raises(RuntimeError, match="not yet"):
            outcomes[2].unwrap()
    calls += [None] * 10
    async with checkpoint.open(tmp_path, "run") as tracker:
        outcomes = await checkpointed_map(tracker, pool, "abcdefg", work)
        assert [outcome.value for outcome in outcomes] == list("ABCDEFG")
    assert sorted(calls[15:]) == ["c", "f", "g"]


async def test_items_that_are_done_do_not_wait_for_their_turn(tmp_path):
    """The rate of a pool is spent on work, not on what an earlier run has done."""
    turns = []

    class Rate:
        async def wait(self):
            turns.append(1)

    async def work(item):
        return item

    for _ in range(2):
        async with checkpoint.open(tmp_path, "run") as tracker:
            await checkpointed_map(tracker, Pool(2, Rate()), range(10), work)
    assert len(turns) == 10


async def test_names_and_types(tmp_path, pool):
    """Two maps in one run have names of their own; values are converted as in a step."""

    async def work(item):
        return (item["id"], 1)

    items = [{"id": f"i{n}"} for n in range(3)]
    for _ in range(2):
        async with checkpoint.open(tmp_path, "run") as tracker:
            for name in ("embed", "score"):
                outcomes = await checkpointed_map(
                    tracker, pool, items, work, key=lambda i: i["id"], name=name, T=tuple[str, int]
                )
                assert [outcome.value for outcome in outcomes] == [(f"i{n}", 1) for n in range(3)]
            assert len(tracker.completed_steps()) == 6
            assert tracker.is_completed("embed:i0")


async def test_two_items_with_one_key_are_refused(tmp_path, pool):
    """One would get the result of the other."""

    async def work(item):
        pytest.fail(f"called with {item}")

    async with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(InvalidValue, match="items 0 and 2 have the same key 'a'"):
            await checkpointed_map(tracker, pool, ["a", "b", "a"], work)
        with pytest.raises(InvalidValue, match="pass `key`"):
            await checkpointed_map(tracker, pool, [{"id": 1}], work)


@pytest.mark.parametrize("pool", [Pool(0), Pool(None), object()])
async def test_what_is_no_pool_is_refused(tmp_path, pool):
    """The code is `validation`."""

    async def work(item):
        pytest.fail(f"called with {item}")

    async with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(InvalidValue, match="neither a map nor"):
            await checkpointed_map(tracker, pool, "abc", work)


async def test_a_map_that_loses_results_is_noticed(tmp_path):
    """Items and results cannot be told apart then."""

    async def lossy(items, fn):
        return [Outcome(0, items[0], await fn(items[0]))]

    async def work(item):
        return item

    async with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(CheckpointError, match="1 results for 3 items"):
            await checkpointed_map(tracker, lossy, "abc", work)


async def test_nothing_to_do(tmp_path, pool):
    """No items, no outcomes."""

    async def work(item):
        return item

    async with checkpoint.open(tmp_path, "run") as tracker:
        assert await checkpointed_map(tracker, pool, [], work) == []


async def test_a_cancelled_map_leaves_nothing_running(tmp_path, pool):
    """What is under way is cancelled, and what was completed is kept."""
    active = set()

    async def work(item):
        active.add(item)
        try:
            await asyncio.sleep(0 if item < 10 else 10)
        finally:
            active.remove(item)
        return item

    async with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await checkpointed_map(tracker, pool, range(100), work)
        await asyncio.sleep(0)
        assert active == set()
        assert set(tracker.completed_steps()) == {str(n) for n in range(10)}
    assert asyncio.all_tasks() == {asyncio.current_task()}
