"""Timers, on a clock that tests move."""

import asyncio
import contextvars
import threading

import pytest

from mist.metrics import Registry, WrongFunctionError


class Clock:
    """Tells the seconds that it is set to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        """Return them."""
        return self.now


@pytest.fixture
def clock():
    """A clock."""
    return Clock()


@pytest.fixture
def histogram(clock):
    """A histogram with that clock."""
    return Registry(clock=clock).histogram("ms")


def observed(histogram):
    """Count, least and greatest observation."""
    snapshot = histogram.snapshot()
    return snapshot.count, snapshot.min, snapshot.max


def test_a_block_is_timed_in_milliseconds(histogram, clock):
    """The default buckets are milliseconds, and so is what a timer records."""
    with histogram.time():
        clock.now += 0.25
    assert observed(histogram) == (1, 250, 250)


def test_a_block_that_raises_is_timed_and_raises(histogram, clock):
    """A failure takes its time, too."""

    def fail():
        with histogram.time():
            clock.now += 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert observed(histogram) == (1, 1000, 1000)


def test_a_function_is_timed_at_every_call(histogram, clock):
    """The decorated function keeps its name, arguments and result; recursion is nested calls."""

    @histogram.time()
    def countdown(n, *, step):
        """Count down."""
        clock.now += 1
        return countdown(n - step, step=step) if n else "done"

    assert countdown(2, step=1) == "done"
    assert (countdown.__name__, countdown.__doc__) == ("countdown", "Count down.")
    assert observed(histogram) == (3, 1000, 3000)


async def test_a_coroutine_function_is_timed_until_it_returns(histogram, clock):
    """Calling it takes no time, awaiting it does; a failure counts."""

    @histogram.time()
    async def work(*, fail):
        await asyncio.sleep(0)
        clock.now += 2
        if fail:
            raise KeyError
        return "done"

    assert await work(fail=False) == "done"
    with pytest.raises(KeyError):
        await work(fail=True)
    assert observed(histogram) == (2, 2000, 2000)


async def test_a_cancelled_coroutine_is_timed_and_stays_cancelled(histogram, clock):
    """Cancellation passes through."""

    @histogram.time()
    async def work():
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    clock.now += 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert observed(histogram) == (1, 1000, 1000)


def test_generator_functions_are_refused(histogram):
    """Timing the call of a generator function would record nothing but the call."""

    def generator():
        yield

    async def async_generator():
        yield

    for function in (generator, async_generator):
        with pytest.raises(WrongFunctionError, match=r"generator function .* use `with"):
            histogram.time()(function)


def test_one_timer_nests_in_itself(histogram, clock):
    """The inner block ends first."""
    timer = histogram.time()
    with timer:
        clock.now += 1
        with timer:
            clock.now += 2
    assert observed(histogram) == (2, 2000, 3000)


async def test_one_timer_serves_several_tasks_at_once(histogram, clock):
    """Each task's block has its own start, in whichever order they end."""
    timer = histogram.time()
    ends = [asyncio.Event() for _ in range(3)]

    async def work(end):
        with timer:
            await end.wait()

    tasks = []
    for end in ends:  # begun at 0, 1 and 2 seconds
        tasks.append(asyncio.create_task(work(end)))
        await asyncio.sleep(0)
        clock.now += 1
    for end, task in zip(ends, tasks, strict=True):  # ended at 3 seconds, first come first
        end.set()
        await task
        clock.now += 10
    snapshot = histogram.snapshot()
    assert (snapshot.count, snapshot.min, snapshot.max) == (3, 3000, 21000)
    assert snapshot.sum == 3000 + 12000 + 21000


def test_one_timer_serves_several_threads_at_once(histogram, clock):
    """Each thread's block has its own start."""
    timer = histogram.time()
    inside, leave = threading.Event(), threading.Event()

    def other():
        with timer:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    clock.now += 5
    with timer:
        clock.now += 1
        leave.set()
        thread.join()
    assert observed(histogram) == (2, 1000, 6000)


def test_a_block_that_ends_in_another_context_is_timed(histogram, clock):
    """A generator that another task closes neither raises nor loses its time."""

    def generator():
        with histogram.time():
            yield

    running = generator()
    contextvars.copy_context().run(next, running)
    clock.now += 1
    running.close()
    with histogram.time():
        clock.now += 2
    assert observed(histogram) == (2, 1000, 2000)
