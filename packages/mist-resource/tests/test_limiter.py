"""Slots: given out in order, to tasks and threads, and each given back exactly once."""

import asyncio
import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mist.resource import Limiter, ResourceError


async def test_never_more_than_max_at_a_time():
    """A hundred tasks share three slots, and all of them get one in the end."""
    limiter = Limiter("db", 3)
    most = 0

    async def work():
        nonlocal most
        async with limiter:
            most = max(most, limiter.active)
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(100)))
    assert (most, limiter.active, limiter.total, limiter.waiting) == (3, 0, 100, 0)


async def test_slots_come_in_the_order_of_asking():
    """Who asked first has one first, and nobody who comes by takes it away."""
    limiter = Limiter("db", 1)
    await limiter.acquire()
    order = []

    async def work(number):
        async with limiter:
            order.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(10)]
    await asyncio.sleep(0)
    limiter.release()
    # Free for the moment, but spoken for.
    assert not limiter.try_acquire()
    await asyncio.gather(*tasks)
    assert order == list(range(10))
    assert limiter.try_acquire()


async def test_what_was_not_acquired_cannot_be_released():
    """The error names the limiter, and nothing has changed."""
    limiter = Limiter("db", 2)
    with pytest.raises(ResourceError, match="limiter 'db': released more often") as misused:
        limiter.release()
    assert misused.value.code == "validation"
    assert limiter.active == 0
    async with limiter:
        assert limiter.active == 1


@pytest.mark.parametrize("slots", [0, -1, 1.5, True, "3"])
def test_a_pool_of_nothing_is_refused(slots):
    """Its size is an integer of at least one."""
    with pytest.raises(ResourceError, match="max must be an integer of 1 or more"):
        Limiter("db", slots)


async def test_go_holds_a_slot_for_as_long_as_its_task_runs():
    """The next task starts when one has ended, be it by an error."""
    limiter = Limiter("jobs", 1)
    leave = asyncio.Event()

    async def fail():
        await leave.wait()
        raise ZeroDivisionError

    first = await limiter.go(fail())
    second = asyncio.create_task(limiter.go(asyncio.sleep(0, "done")))
    await asyncio.sleep(0)
    assert (limiter.active, limiter.waiting) == (1, 1)
    leave.set()
    assert await (await second) == "done"
    with pytest.raises(ZeroDivisionError):
        await first
    await limiter.drain()
    assert limiter.active == 0


async def test_its_tasks_can_be_ended_together():
    """`aclose` cancels them, waits for them, and has all slots back."""
    limiter = Limiter("jobs", 3)
    tasks = [await limiter.go(asyncio.sleep(3600)) for _ in range(3)]
    await limiter.aclose()
    assert all(task.cancelled() for task in tasks)
    assert limiter.active == 0


async def test_draining_waits_for_those_without_a_slot_as_well():
    """Between the end of one task and the begin of the next there is none for a moment."""
    limiter, done = Limiter("jobs", 1), []

    async def job(number):
        await asyncio.sleep(0)
        done.append(number)

    starting = [asyncio.create_task(limiter.go(job(number))) for number in range(5)]
    await asyncio.sleep(0)
    await limiter.drain()
    assert done == [0, 1, 2, 3, 4]
    await asyncio.gather(*starting)


async def test_ending_them_ends_those_without_a_slot_as_well():
    """Each is cancelled as soon as its slot comes, and has not begun then."""
    limiter, begun = Limiter("jobs", 2), []

    async def job(number):
        begun.append(number)
        await asyncio.sleep(3600)

    starting = [asyncio.create_task(limiter.go(job(number))) for number in range(5)]
    await asyncio.sleep(0.01)
    await asyncio.wait_for(limiter.aclose(), 10)
    assert begun == [0, 1]
    assert (limiter.active, limiter.waiting) == (0, 0)
    tasks = await asyncio.gather(*starting)
    assert all(task.cancelled() for task in tasks)
    assert await (await limiter.go(asyncio.sleep(0, "later"))) == "later"


@pytest.mark.parametrize("wait", [Limiter.drain, Limiter.aclose])
async def test_one_of_its_tasks_waits_for_the_others(wait):
    """Waiting for itself it would wait for ever."""
    limiter = Limiter("jobs", 2)
    other = await limiter.go(asyncio.sleep(0))
    await asyncio.wait_for(await limiter.go(wait(limiter)), 10)
    assert other.done()


async def test_a_coroutine_that_never_got_its_slot_is_closed():
    """It leaves no warning behind that it was never awaited."""
    limiter = Limiter("jobs", 1)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.go(asyncio.sleep(0)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert limiter.waiting == 0


async def test_a_task_that_cannot_be_made_gives_its_slot_back():
    """As where an eager one exits at once."""
    limiter = Limiter("jobs", 1)
    loop = asyncio.get_running_loop()

    def refuse(*_, **__):
        raise SystemExit(3)

    loop.set_task_factory(refuse)
    try:
        with pytest.raises(SystemExit):
            await limiter.go(asyncio.sleep(0))
    finally:
        loop.set_task_factory(None)
    assert limiter.active == 0
    assert await (await limiter.go(asyncio.sleep(0, "next"))) == "next"


async def test_what_is_no_coroutine_takes_no_slot():
    """The error says what to do."""
    limiter = Limiter("jobs", 1)
    with pytest.raises(ResourceError, match="go runs a coroutine, got <function"):
        await limiter.go(test_what_is_no_coroutine_takes_no_slot)
    assert limiter.active == 0


def test_each_event_loop_drains_its_own_tasks():
    """What another one runs is neither waited for nor cancelled there."""
    limiter = Limiter("jobs", 2)
    begun, leave = threading.Event(), threading.Event()

    async def elsewhere():
        task = await limiter.go(asyncio.to_thread(leave.wait, 30))
        begun.set()
        await limiter.drain()
        return task.cancelled()

    async def here():
        await limiter.go(asyncio.sleep(0))
        await limiter.drain()
        await limiter.go(asyncio.sleep(3600))
        await limiter.aclose()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: asyncio.run(elsewhere()))
        assert begun.wait(30)
        asyncio.run(asyncio.wait_for(here(), 30))
        assert limiter.active == 1
        leave.set()
        assert other.result(timeout=30) is False
    assert limiter.active == 0


def test_a_collector_that_comes_in_between_gives_out_no_slot_twice():
    """A lost coroutine that gives its slot back while another is served does no harm."""

    class Collecting(asyncio.SelectorEventLoop):
        def call_soon_threadsafe(self, *args, **kwargs):
            gc.collect()
            return super().call_soon_threadsafe(*args, **kwargs)

    async def run():
        limiter = Limiter("db", 3)

        async def hold(lost):
            async with limiter:
                await asyncio.Event().wait()
            return lost

        lost = []
        lost.append(hold(lost))  # nobody but itself knows of it
        lost[0].send(None)
        await limiter.acquire()
        await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(5)]
        await asyncio.sleep(0)
        del lost
        limiter.release()
        await asyncio.sleep(0)
        assert limiter.active == 3
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    gc.disable()
    try:
        with asyncio.Runner(loop_factory=Collecting) as runner:
            runner.run(run())
    finally:
        gc.enable()


def test_ctrl_c_on_any_line_of_a_wait_leaves_the_queue():
    """Wherever in the limiter's own code a thread is interrupted, its place is not kept."""
    line = 0
    while True:
        limiter = Limiter("db", 1)
        limiter.acquire_sync()
        try:
            with _interrupted_at(line):
                limiter.acquire_sync(timeout=0.001)
        except KeyboardInterrupt:
            pass
        else:
            break
        assert limiter.waiting == 0, line
        limiter.release()
        assert limiter.try_acquire(), line
        line += 1
    assert line > 15


@contextlib.contextmanager
def _interrupted_at(line):
    """Raise KeyboardInterrupt where the package's code begins its nth line."""
    left = line

    def trace(frame, event, _arg):
        nonlocal left
        if "/mist/resource/" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        # Not while giving up: what leaves the queue cannot leave it while it is interrupted.
        if event == "line" and frame.f_code.co_name != "_give_up":
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


INTERRUPTED = """
import signal, threading
from mist.resource import Limiter
limiter = Limiter("db", 1)
limiter.acquire_sync()
here = threading.get_ident
threading.Timer(0.2, lambda: signal.pthread_kill(here(), signal.SIGINT)).start()
limiter.acquire_sync()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_that_another_thread_is_given_ends_a_wait():
    """The system may give the signal to any thread, and then wakes only that one."""
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], timeout=30, check=False, stderr=subprocess.PIPE
    )
    assert (ran.returncode, b"KeyboardInterrupt" in ran.stderr) == (-signal.SIGINT, True)


def test_threads_and_tasks_share_one_limiter():
    """Sixteen threads, half of them with an event loop, never exceed it, nor lose a slot."""
    limiter = Limiter("db", 3)
    inside, most = [], []
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def note():
        inside.append(1)
        most.append(len(inside))
        inside.pop()

    def in_thread():
        for _ in range(200):
            with limiter:
                note()

    async def in_tasks():
        async def work():
            async with limiter:
                note()
                await asyncio.sleep(0)

        await asyncio.gather(*(work() for _ in range(200)))

    try:
        with ThreadPoolExecutor(16) as pool:
            done = [pool.submit(in_thread) for _ in range(8)]
            done += [pool.submit(lambda: asyncio.run(in_tasks())) for _ in range(8)]
            for each in done:
                each.result(timeout=60)
    finally:
        sys.setswitchinterval(switching)
    assert max(most) <= 3
    assert (limiter.active, limiter.total, limiter.waiting) == (0, 3200, 0)


def test_a_thread_may_wait_only_so_long():
    """It says that there was none, and has left the queue."""
    limiter = Limiter("db", 1)
    assert limiter.acquire_sync()
    assert not limiter.acquire_sync(timeout=0.01)
    assert limiter.waiting == 0
    limiter.release()
    assert limiter.acquire_sync(timeout=0)


def test_a_task_whose_loop_has_ended_does_not_keep_its_place():
    """Its turn goes to the next that waits."""
    limiter = Limiter("db", 1)
    loop = asyncio.new_event_loop()
    limiter.acquire_sync()
    lost = limiter.acquire()
    loop.run_until_complete(_begin(lost))
    loop.close()
    got = threading.Event()
    waiting = threading.Thread(target=lambda: (limiter.acquire_sync(), got.set()))
    waiting.start()
    while limiter.waiting < 2:
        pass
    limiter.release()
    assert got.wait(30)
    waiting.join()
    lost.close()
    assert (limiter.active, limiter.waiting) == (1, 0)


async def _begin(coroutine):
    coroutine.send(None)


def test_any_order_of_events_keeps_the_count(virtually):
    """Random takers, givers and quitters: what is active is what is held."""

    async def run(seed):
        chance = random.Random(seed)
        limiter = Limiter("db", chance.randint(1, 4))
        held = 0

        async def work():
            nonlocal held
            async with limiter:
                held += 1
                assert held == limiter.active <= limiter.max
                try:
                    await asyncio.sleep(chance.random())
                finally:
                    held -= 1

        tasks = []
        for _ in range(40):
            tasks.append(asyncio.create_task(work()))
            if chance.random() < 0.4:
                chance.choice(tasks).cancel()
            await asyncio.sleep(chance.random() / 3)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (limiter.active, limiter.waiting, held) == (0, 0, 0)

    for seed in range(50):
        virtually(run(seed))


def test_its_repr_tells_what_one_wants_to_know():
    """Name, slots taken, and how many wait."""
    limiter = Limiter("db", 2)
    limiter.try_acquire()
    assert repr(limiter) == "<Limiter 'db': 1 of 2, 0 waiting>"
