"""No window has more in it than the rate, wherever it begins."""

import asyncio
import contextlib
import gc
import math
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mist.parallel import ParallelError, Pool, RateLimiter
from mist.parallel import map as pmap


def _most_in_any_window(turns, interval):
    """The largest sum of costs in a closed window of that length, by trying each beginning."""
    return max(
        sum(cost for when, cost in turns if begin <= when <= begin + interval) for begin, _ in turns
    )


@settings(max_examples=150, deadline=None)
@given(
    rate=st.integers(1, 12),
    interval=st.sampled_from([0.1, 1.0, 60.0]),
    arrivals=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 12)), min_size=1, max_size=40),
)
def test_never_more_than_the_rate_in_any_window(virtually, rate, interval, arrivals):
    """Whatever comes when, and however much it wants; and nobody is passed by."""

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(rate, interval, clock=loop.time)
        turns, order = [], []

        async def come(n, cost):
            await limiter.wait(cost)
            turns.append((loop.time(), cost))
            order.append(n)

        tasks = []
        for n, (pause, wanted) in enumerate(arrivals):
            await asyncio.sleep(pause * interval)
            tasks.append(asyncio.create_task(come(n, min(wanted, rate))))
        await asyncio.gather(*tasks)
        assert _most_in_any_window(turns, interval) <= rate
        assert order == sorted(order)

    virtually(run())


def test_what_was_taken_counts_to_the_very_end_of_its_window(clock):
    """Also where fractions add up to a little more: 0.2 + 0.1 is still in the window of 0.2."""
    limiter = RateLimiter(1, 0.1, clock=clock)
    clock.now = 0.2
    assert limiter.try_take()
    clock.now = 0.2 + 0.1
    assert not limiter.try_take()
    clock.now = 0.3001
    assert limiter.try_take()


def test_ten_per_second_is_ten_in_any_second(virtually):
    """Not nineteen: a full bucket, and what flows in while it is emptied."""

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(10, 1.0, clock=loop.time)
        turns = []
        for _ in range(100):
            await limiter.wait()
            turns.append((loop.time(), 1))
        assert _most_in_any_window(turns, 1.0) == 10
        # Strict, and yet no slower than it has to be.
        assert loop.time() == pytest.approx(9.0, abs=0.01)

    virtually(run())


@pytest.mark.parametrize("whole", [True, False])
def test_a_long_run_agrees_with_adding_up_afresh(whole, clock):
    """After a hundred thousand grants of any size, nothing has drifted."""
    chance = random.Random(7)
    rate = 10**10 if whole else 1.0
    limiter = RateLimiter(rate, 1.0, clock=clock)
    taken = []  # (when, amount) of what may still count
    for _ in range(100_000):
        clock.now += chance.choice([0.001, 0.01, 0.05])
        cost = chance.choice([0.1, 0.2, 0.3, 1 / 3]) * rate
        cost = round(cost) if whole else cost
        taken = [each for each in taken if clock.now <= each[0] + 1.0]
        before = math.fsum(amount for _, amount in taken)
        if limiter.try_take(cost):
            assert before + cost <= rate * (1 if whole else 1 + 1e-12)
            taken.append((clock.now, cost))
        else:
            assert before + cost > rate * (1 - 1e-12)


def test_fractions_are_exact_over_time(virtually):
    """A thousand intervals let a thousand times the rate through, nothing dropped, nothing added."""

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(0.3, 1.0, clock=loop.time)
        for _ in range(3000):
            await limiter.wait(0.1)
        assert loop.time() == pytest.approx(999, abs=1)

    virtually(run())


async def test_try_take_does_not_pass_by_who_waits():
    """It takes what is free, unless somebody is before it."""
    limiter = RateLimiter(2, 3600.0)
    assert limiter.try_take()
    waiting = asyncio.create_task(limiter.wait(2))
    await asyncio.sleep(0)
    assert limiter.waiting == 1
    assert not limiter.try_take()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert limiter.try_take()
    assert not limiter.try_take()


def test_a_guess_can_be_corrected(virtually):
    """Less makes room for others at once; more is owed, and they wait for it."""

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(1000, 60.0, clock=loop.time)
        guess = await limiter.wait(900)
        waiting = asyncio.create_task(limiter.wait(500))
        await asyncio.sleep(1)
        assert not waiting.done()
        guess.correct(400)
        await waiting
        assert loop.time() == pytest.approx(1.0)
        guess.correct(700)
        assert guess.cost == 700
        await limiter.wait(400)
        # 700 + 500 are more than the minute has: the debt of 200 is waited for.
        assert loop.time() == pytest.approx(60.0, abs=0.1)
        guess.correct(0)  # too late to matter
        assert not limiter.try_take(200)

    virtually(run())


def test_corrections_reach_what_was_taken_at_nearly_the_same_time(virtually):
    """However many there are: each is still counted, and so is what each is corrected by."""

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(100_000, 1000.0, clock=loop.time)
        grants = []
        for _ in range(20_000):
            grants.append(await limiter.wait())
            await asyncio.sleep(0.001)
        for grant in grants:
            grant.correct(5)
        assert not limiter.try_take()
        grants[0].correct(4)
        assert limiter.try_take()
        assert not limiter.try_take()

    virtually(run())


def test_a_complaint_stops_everything_and_then_halves_the_rate(virtually):
    """`retry_after` is kept to, and the rate recovers with time."""

    class RateLimited(Exception):
        code = "rate_limit"
        retry_after = 5.0

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(10, 1.0, clock=loop.time)
        with pytest.raises(RateLimited):
            async with limiter.pacing():
                raise RateLimited
        assert limiter.present_rate == pytest.approx(5.0)
        assert not limiter.try_take()
        await limiter.wait()
        assert loop.time() == pytest.approx(5.0, abs=0.01)
        assert limiter.present_rate == pytest.approx(7.5, abs=0.1)
        await asyncio.sleep(5)
        assert limiter.present_rate == pytest.approx(10.0)

    virtually(run())


@pytest.mark.parametrize("wish", ["30", -1, float("nan"), None, float("inf"), "Fri, 21 Nov 2025"])
async def test_a_complaint_in_other_words_hides_nothing(wish):
    """What is no number of seconds counts as one interval, and the error is raised as it is."""

    class RateLimited(Exception):
        code = "rate_limit"
        retry_after = wish

    limiter = RateLimiter(10, 3600.0)
    with pytest.raises(RateLimited):
        async with limiter.pacing():
            raise RateLimited
    assert limiter.present_rate == pytest.approx(5, abs=0.1)
    assert not limiter.try_take()


async def test_an_error_that_does_not_tell_its_code_hides_nothing():
    """A property that fails is no complaint, and the error is raised as it is."""

    class Unspeaking(Exception):
        @property
        def code(self):
            raise RuntimeError

    limiter = RateLimiter(10, 3600.0)
    with pytest.raises(Unspeaking):
        async with limiter.pacing():
            raise Unspeaking
    assert limiter.present_rate == 10


def test_ten_complaints_about_one_burst_are_one(virtually):
    """Calls that were let through before the first complaint tell nothing new."""

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(10, 1.0, clock=loop.time)
        await asyncio.sleep(1)
        began = loop.time()
        await asyncio.sleep(0.5)
        for _ in range(10):
            limiter.slow_down(1.0, began=began)
        assert limiter.present_rate == pytest.approx(5.0)

    virtually(run())


def test_the_slowest_is_still_a_rate(virtually):
    """A hundred complaints do not bring it to a halt."""

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(64, 1.0, clock=loop.time)
        for _ in range(100):
            limiter.slow_down(0.0)
            await asyncio.sleep(0.001)
        assert limiter.present_rate >= 1.0
        await asyncio.wait_for(limiter.wait(64), 30)

    virtually(run())


def test_a_pool_waits_for_its_rate_and_hears_complaints(virtually):
    """An input's rate limit error slows down those that come after."""

    class RateLimited(Exception):
        code = "rate_limit"
        retry_after = 10.0

    async def run():
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(5, 1.0, clock=loop.time)
        began = []

        async def work(n):
            began.append(loop.time())
            if n == 0:
                raise RateLimited

        results = await pmap(Pool(8, rate=limiter), range(12), work)
        assert isinstance(results[0].error, RateLimited)
        assert sum(when < 10 for when in began) <= 5
        assert len(began) == 12

    virtually(run())


def test_threads_and_tasks_share_one_limiter():
    """Real time, for threads have no other: 8 threads and 8 loops together keep to the rate."""
    limiter = RateLimiter(20, 0.1)
    turns, lock = [], threading.Lock()

    def note():
        with lock:
            turns.append(time.monotonic())

    def in_thread():
        for _ in range(10):
            limiter.wait_sync()
            note()

    async def in_tasks():
        for _ in range(10):
            await limiter.wait()
            note()

    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        done = [pool.submit(in_thread) for _ in range(8)]
        done += [pool.submit(asyncio.run, in_tasks()) for _ in range(8)]
        for each in done:
            each.result(timeout=60)
    # 160 turns of 20 each 0.1 s: the last ones cannot come before 0.7 s have passed.
    assert time.monotonic() - began >= 0.69
    assert len(turns) == 160
    assert limiter.waiting == 0


def test_a_task_whose_loop_has_ended_does_not_keep_its_place(virtually):
    """Those who come after it have their turns."""
    limiter = RateLimiter(1, 1.0, clock=lambda: asyncio.get_running_loop().time())
    lost = []

    async def leave_one_behind():
        await limiter.wait()
        lost.append(limiter.wait())
        lost[0].send(None)

    virtually(leave_one_behind())
    assert limiter.waiting == 1
    virtually(limiter.wait())
    assert limiter.waiting == 0
    lost[0].close()


def test_ctrl_c_on_any_line_keeps_nobody_waiting(clock):
    """Wherever in the limiter's own code a wait is interrupted, its place is not kept."""
    line = 0
    while True:
        limiter = RateLimiter(1, 1.0, clock=clock)
        try:
            with _interrupted_at(line):
                limiter.wait_sync()
        except KeyboardInterrupt:
            pass
        else:
            break
        gc.collect()
        assert limiter.waiting == 0, line
        clock.now += 2
        assert limiter.try_take(), line
        line += 1
    assert line > 20


INTERRUPTED = """
import signal, threading, time
from mist.parallel import RateLimiter
limiter = RateLimiter(1, 20.0)
limiter.wait_sync()
here = threading.get_ident
threading.Timer(0.2, lambda: signal.pthread_kill(here(), signal.SIGINT)).start()
try:
    limiter.wait_sync()
except KeyboardInterrupt:
    print("interrupted", limiter.waiting)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_that_another_thread_is_given_ends_the_wait():
    """The system may give the signal to any thread, and then wakes only that one."""
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], timeout=60, check=True, stdout=subprocess.PIPE
    )
    assert ran.stdout == b"interrupted 0\n"
    assert time.monotonic() - started < 15


@contextlib.contextmanager
def _interrupted_at(line):
    """Raise KeyboardInterrupt where the package's code begins its nth line."""
    left = line

    def trace(frame, event, _arg):
        nonlocal left
        if "/mist/parallel/" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        if event == "line":
            left -= 1
            if left == -1:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def test_memory_is_bounded_and_the_rate_is_kept(clock):
    """A million tiny amounts are remembered in ten thousand entries, never too loosely."""
    limiter = RateLimiter(1_000_000, 60.0, clock=clock)
    for n in range(30_000):
        clock.now = n / 1000
        assert limiter.try_take()
    assert len(limiter._window._entries) <= 10_001
    assert limiter.try_take(970_000)
    assert not limiter.try_take()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: RateLimiter(0), "rate must be a positive number, got 0"),
        (lambda: RateLimiter(float("nan")), "rate must be a positive number, got nan"),
        (lambda: RateLimiter("10"), "rate must be a positive number, got '10'"),
        (lambda: RateLimiter(10**400), "rate must be a positive number, got 1000"),
        (lambda: RateLimiter(1, None), "interval must be a positive number, got None"),
        (lambda: RateLimiter(1).try_take("1"), "cost must be a positive number, got '1'"),
        (lambda: RateLimiter(1, 0), "interval must be a positive number, got 0"),
        (lambda: RateLimiter(1).try_take(0), "cost must be a positive number, got 0"),
        (lambda: RateLimiter(1).try_take(-1), "cost must be a positive number, got -1"),
        (lambda: RateLimiter(9).wait_sync(10), "cost 10 never fits into a rate of 9 per 1 s"),
        (lambda: RateLimiter(9).wait_sync().correct(-1), "cost must be 0 or more, got -1"),
        (lambda: RateLimiter(9).slow_down(-1), "retry_after must be 0 or more seconds, got -1"),
    ],
)
def test_what_cannot_be_is_refused(call, text):
    """What would wait for ever, or let everything through, is an error at once."""
    with pytest.raises(ParallelError, match=text):
        call()


def test_its_repr_tells_what_one_wants_to_know():
    """The rate, and how many wait."""
    assert repr(RateLimiter(10, 60)) == "<RateLimiter 10 per 60 s, 0 waiting>"


@pytest.fixture
def clock():
    """A clock that stands still until it is moved."""

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()
