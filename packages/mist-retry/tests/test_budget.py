"""The budget that retries share."""

import asyncio
import itertools
import math
import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.retry import Budget, InvalidSetting, Policy, do


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        """Tell the time."""
        return self.now


def drain(budget):
    """Take what there is, and return how much that was."""
    taken = 0
    while budget.try_take():
        taken += 1
    return taken


def test_it_begins_full_and_refuses_when_empty():
    """There are as many tokens as its capacity, and its state can be seen."""
    budget = Budget(3, clock=Clock())
    assert budget.available == 3
    assert drain(budget) == 3
    assert budget.available == 0
    assert (budget.granted, budget.refused) == (3, 1)
    assert repr(budget) == "<Budget 0 of 3 available, 3 granted, 1 refused>"


def test_it_refills_over_time_up_to_its_capacity():
    """Tokens come back at the rate given, and never more than it holds."""
    clock = Clock()
    budget = Budget(4, refill_rate=0.5, clock=clock)
    drain(budget)
    clock.now += 2
    assert budget.available == 1
    clock.now += 1
    assert budget.available == 1.5
    clock.now += 1000
    assert budget.available == 4
    assert drain(budget) == 4


@given(
    rate=st.sampled_from([0.1, 0.3, 0.7, 1.0, 3.0, 1 / 3, 1e-3, 1e6]),
    steps=st.lists(st.integers(1, 10**9), min_size=1, max_size=50),
)
def test_nothing_is_lost_however_often_it_is_asked(rate, steps):
    """Asking at every moment leaves as many tokens as not asking at all."""
    asked_clock, left_clock = Clock(), Clock()
    asked = Budget(10**6, refill_rate=rate, clock=asked_clock)
    left = Budget(10**6, refill_rate=rate, clock=left_clock)
    for budget in (asked, left):
        for _ in range(20):
            assert budget.try_take()
    for step in steps:
        asked_clock.now += step * 1e-9
        _ = asked.available
    left_clock.now = asked_clock.now
    assert asked.available == left.available


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.7, 3.0, 7.0])
def test_a_million_small_steps_refill_as_one_large_one(rate):
    """Ten seconds refill exactly ten times the rate, in steps of 100 microseconds."""
    clock = Clock(0)
    budget = Budget(100, refill_rate=rate, clock=clock)
    assert drain(budget) == 100
    granted = 0
    for step in range(1, 100_001):
        clock.now = step / 10_000
        granted += budget.try_take()
    assert granted == round(rate * 10)


def test_a_success_gives_a_little_back():
    """Each success returns `refund` tokens, up to the capacity."""
    budget = Budget(10, refill_rate=0, refund=0.1, clock=Clock())
    budget.succeeded()
    assert budget.available == 10
    drain(budget)
    for _ in range(9):
        budget.succeeded()
    assert not budget.try_take()
    budget.succeeded()
    assert budget.try_take()
    for _ in range(1000):
        budget.succeeded()
    assert budget.available == 10


def test_a_token_can_be_put_back():
    """A retry that was not made after all has cost nothing."""
    budget = Budget(1, refill_rate=0, clock=Clock())
    assert budget.try_take()
    budget.put_back()
    assert (budget.available, budget.granted) == (1, 0)


def test_a_clock_that_goes_backwards_takes_nothing_away():
    """Time that runs backwards neither refills nor costs tokens."""
    clock = Clock()
    budget = Budget(2, clock=clock)
    assert budget.try_take()
    clock.now -= 500
    assert budget.available == 1
    clock.now += 1
    assert budget.available == 2


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"capacity": 0}, "capacity must be a whole number of tokens, 1 or more, got 0"),
        ({"capacity": 1.5}, "got 1.5"),
        ({"refill_rate": -1}, "refill_rate must be a number of tokens a second, 0 or more, got -1"),
        ({"refill_rate": math.nan}, "got nan"),
        ({"refund": -0.1}, "refund must be a number of tokens, 0 or more, got -0.1"),
        ({"refund": math.inf}, "got inf"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, text):
    """The error names the setting, what would do, and what came."""
    with pytest.raises(InvalidSetting) as caught:
        Budget(**settings)
    assert text in str(caught.value)


def test_threads_never_take_more_than_there_is():
    """Eight threads that take and put back at once leave exact counts."""
    budget = Budget(5_000, refill_rate=0, refund=0, clock=Clock())
    taken = []

    def take():
        count = 0
        for number in range(2_000):
            if budget.try_take():
                count += 1
                if number % 3 == 0:
                    budget.put_back()
                    count -= 1
        taken.append(count)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == budget.granted == 5_000 - budget.available <= 5_000


def test_what_the_collector_closes_may_put_its_token_back():
    """A retry that nobody finishes gives up its wait while another one asks the same budget."""

    def clock():
        while abandoned:
            abandoned.pop().close()  # as the collector does, at a moment of its own choice
        return 0.0

    def fail():
        raise ConnectionError

    async def operation():
        fail()

    async def begin():
        waiting = do(Policy(2, 60, 60), operation, budget=budget)
        waiting.send(None)
        abandoned.append(waiting)

    abandoned = []
    budget = Budget(3, refill_rate=0, clock=clock)
    asyncio.run(begin())
    assert abandoned
    asking = threading.Thread(target=budget.try_take, daemon=True)
    asking.start()
    asking.join(10)
    assert not asking.is_alive()
    assert not abandoned
    assert (budget.granted, budget.available) == (1, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent():
    """A thread was looking at the clock, and so had the lock, at the fork."""
    program = """
import os, signal, threading, warnings
from mist.retry import Budget

warnings.filterwarnings("ignore", message=".*multi-threaded.*")
inside = threading.Event()

def clock():
    if threading.current_thread() is not threading.main_thread():
        inside.set()
        threading.Event().wait()
    return 0.0

budget = Budget(3, clock=clock)
threading.Thread(target=budget.try_take, daemon=True).start()
assert inside.wait(30)
if not (child := os.fork()):
    signal.alarm(20)
    assert budget.try_take()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_threads_never_refill_the_same_time_twice():
    """However late a thread comes with the time that it read, no second counts for two."""
    ticks = itertools.count()

    def clock():
        now = next(ticks) / 1000
        time.sleep(0)  # lets another thread in, which reads a later time
        return now

    budget = Budget(10, refill_rate=100, refund=0, clock=clock)

    def take():
        for _ in range(1000):
            budget.try_take()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.granted <= 10 + next(ticks) / 1000 * 100


def test_an_empty_budget_ends_retrying_at_once(persist, flaky, note):
    """The error is raised without a wait, and says why; no further attempt is made."""
    budget = Budget(2, refill_rate=0, refund=0)
    fn = flaky(*(OSError(f"refusal {n}") for n in range(9)))
    with pytest.raises(OSError, match="refusal 2") as caught:
        persist(Policy(9), fn, budget=budget)
    assert fn.calls == 3
    assert note(caught.value).splitlines()[0].endswith("the retry budget is used up")


def test_a_fleet_does_not_retry_an_outage_into_the_ground(persist):
    """A thousand failing operations that may make 3,000 attempts make 1,010 of them."""
    budget = Budget(10, refill_rate=0)
    attempts = 0

    def down():
        nonlocal attempts
        attempts += 1
        raise ConnectionRefusedError

    for _ in range(1000):
        with pytest.raises(ConnectionRefusedError):
            persist(Policy(3), down, budget=budget)
    assert attempts == 1010


def test_successes_pay_for_retries(persist, flaky):
    """An operation that succeeds, at whichever attempt, gives its refund to the shared budget."""
    budget = Budget(1, refill_rate=0, refund=0.5, clock=Clock())
    assert persist(Policy(), flaky(OSError()), budget=budget) == "done"
    assert budget.available == 0.5
    assert persist(Policy(), flaky(), budget=budget) == "done"
    assert budget.available == 1


@pytest.mark.parametrize(
    "error", [ValueError("permanent"), KeyboardInterrupt()], ids=lambda e: type(e).__name__
)
def test_only_retries_cost(persist, flaky, error):
    """What is not retried takes no token."""
    budget = Budget(clock=Clock())
    with pytest.raises(type(error)):
        persist(Policy(), flaky(error), classifier=OSError, budget=budget)
    assert (budget.available, budget.granted) == (10, 0)
