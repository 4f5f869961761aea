"""Bytes: never more than the limit, never less than none."""

import asyncio
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.resource import BudgetExceeded, MemoryBudget, ResourceError


def test_what_fits_is_reserved_and_what_does_not_is_not():
    """A refused reservation takes nothing."""
    budget = MemoryBudget("batch", 100)
    assert budget.reserve(60)
    assert not budget.reserve(41)
    assert (budget.reserved, budget.available, budget.limit) == (60, 40, 100)
    budget.release(60)
    assert budget.available == 100


def test_more_cannot_be_released_than_is_reserved():
    """The budget never claims to have more than its limit."""
    budget = MemoryBudget("batch", 100)
    budget.reserve(10)
    with pytest.raises(ResourceError, match="11 bytes released, but only 10 are reserved"):
        budget.release(11)
    assert budget.reserved == 10


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 120)), max_size=50))
def test_it_stays_within_its_bounds(steps):
    """Whatever is asked for and given back."""
    budget = MemoryBudget("batch", 100)
    held = 0
    for takes, amount in steps:
        if takes:
            held += amount if budget.reserve(amount) else 0
        elif amount <= held:
            budget.release(amount)
            held -= amount
        else:
            with pytest.raises(ResourceError):
                budget.release(amount)
        assert budget.reserved == held
        assert 0 <= budget.available <= 100


def test_a_block_gives_back_what_it_took():
    """Also when it fails; and where there is no room the error has the figures."""
    budget = MemoryBudget("batch", 100)
    with pytest.raises(ZeroDivisionError), budget.reserving(70):
        raise ZeroDivisionError
    with (
        budget.reserving(70),
        pytest.raises(BudgetExceeded, match="40 bytes wanted, 30 of 100 available") as refused,
        budget.reserving(40),
    ):
        pytest.fail("the block ran")
    assert refused.value.code == "unavailable"
    assert budget.reserved == 0


async def test_a_block_waits_if_asked_to():
    """In order: what would fit does not pass by what came first and does not."""
    budget = MemoryBudget("batch", 100)
    budget.reserve(60)
    order = []

    async def load(size):
        async with budget.reserving(size, wait=True):
            order.append(size)

    tasks = [asyncio.create_task(load(size)) for size in (50, 10)]
    await asyncio.sleep(0)
    assert (order, budget.waiting) == ([], 2)
    assert not budget.reserve(1)
    budget.release(60)
    await asyncio.gather(*tasks)
    assert order == [50, 10]
    with pytest.raises(BudgetExceeded):
        async with budget.reserving(100), budget.reserving(1):
            pytest.fail("the block ran")


def test_a_task_waits_only_so_long(virtually):
    """Then the error has the figures, and the queue is left."""

    async def run():
        budget = MemoryBudget("batch", 100)
        budget.reserve(100)
        with pytest.raises(BudgetExceeded, match="1 bytes wanted, 0 of 100 available"):
            async with budget.reserving(1, wait=True, timeout=5):
                pytest.fail("the block ran")
        assert asyncio.get_running_loop().time() == pytest.approx(5)
        assert budget.waiting == 0
        assert asyncio.current_task().cancelling() == 0

    virtually(run())


@pytest.mark.parametrize("options", [{"timeout": 5}, {"wait": True, "timeout": float("nan")}])
def test_a_timeout_goes_with_waiting(options):
    """Without it there is nothing to time; and one that is no number never comes."""
    with pytest.raises(ResourceError, match=r"'batch': timeout is .*: it goes with wait=True"):
        MemoryBudget("batch", 100).reserving(1, **options)


def test_a_thread_waits_if_asked_to():
    """Until there is room, or until its time is up."""
    budget = MemoryBudget("batch", 100)
    budget.reserve(100)
    with pytest.raises(BudgetExceeded), budget.reserving(1, wait=True, timeout=0.01):
        pytest.fail("the block ran")
    got = threading.Event()

    def load():
        with budget.reserving(1, wait=True):
            got.set()

    thread = threading.Thread(target=load)
    thread.start()
    budget.release(100)
    assert got.wait(30)
    thread.join()
    assert (budget.reserved, budget.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: MemoryBudget("b", 0), "limit_bytes must be an integer of 1 or more, got 0"),
        (lambda: MemoryBudget("b", float("nan")), "an integer of 1 or more, got nan"),
        (lambda: MemoryBudget("b", True), "an integer of 1 or more, got True"),
        (lambda: MemoryBudget("b", 10).reserve(-1), "an integer of 0 or more, got -1"),
        (lambda: MemoryBudget("b", 10).reserve(0.1), "an integer of 0 or more, got 0.1"),
        (lambda: MemoryBudget("b", 10).release(-1), "an integer of 0 or more, got -1"),
        (lambda: MemoryBudget("b", 10).reserving(11, wait=True), "11 bytes never fit into 10"),
    ],
)
def test_what_cannot_be_is_refused(call, text):
    """What would wait for ever, or make bytes out of nothing, is an error at once."""
    with pytest.raises(ResourceError, match=text):
        call()


def test_a_refusal_pickles():
    """It crosses process boundaries whole."""
    error = BudgetExceeded("batch", 40, 30, 100)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_its_repr_tells_what_one_wants_to_know():
    """Name and bytes."""
    assert repr(MemoryBudget("batch", 5)) == "<MemoryBudget 'batch': 0 of 5 bytes>"
