"""A check still running is not started twice."""

import asyncio
import contextlib
import functools
import threading
import time

import pytest

from mist.health import Handler


class Hanging:
    """A sync check that hangs until it is let go."""

    def __init__(self):
        self.calls = 0
        self.let_go = threading.Event()

    def __call__(self):
        """Hang."""
        self.calls += 1
        self.let_go.wait(30)


@pytest.fixture
def hanging():
    """A check that hangs no longer than the test."""
    check = Hanging()
    yield check
    check.let_go.set()


def threads_of(check):
    """Return the threads in which a check runs."""
    return [each for each in threading.enumerate() if each.name == f"mist.health {check}"]


def test_probes_at_the_same_time_share_one_run(virtually, loop_time):
    """A hundred probes ask the database once, and all hear its answer."""
    calls = []

    async def check():
        calls.append(loop_time())
        await asyncio.sleep(1.0)
        raise ConnectionError("gone")

    async def late(handler):
        await asyncio.sleep(0.5)
        return await handler.check()

    async def main():
        handler = Handler("infermux", "1.0.0", clock=loop_time)
        handler.add_check("database", check)
        reports = await asyncio.gather(
            *(handler.check() for _ in range(99)), late(handler), return_exceptions=True
        )
        assert {each.checks["database"].problem for each in reports} == {"ConnectionError: gone"}
        assert calls == [0.0]
        assert loop_time() == 1.0
        await handler.check()
        assert calls == [0.0, 1.0]

    virtually(main())


def test_a_probe_that_comes_late_waits_no_longer_than_the_run(virtually, loop_time):
    """The timeout is the run's, not the probe's."""

    async def main():
        handler = Handler("infermux", "1.0.0", clock=loop_time)
        handler.add_check("database", asyncio.Event().wait, timeout=2.0)
        first = asyncio.create_task(handler.check())
        await asyncio.sleep(1.5)
        assert (await handler.check()).checks["database"].problem == "timed out after 2s"
        assert loop_time() == 2.0
        await first

    virtually(main())


async def test_a_check_that_hangs_in_its_thread_never_piles_up_threads(hanging):
    """While it hangs probes are told so at once, and when it has ended it is run again."""
    handler = Handler("infermux", "1.0.0")
    handler.add_check("hangs", hanging, timeout=0.05)
    assert (await handler.check()).checks["hangs"].problem == "timed out after 0.05s"
    started = time.perf_counter()
    for _ in range(200):
        result = (await handler.check()).checks["hangs"]
        assert result.problem.startswith("still running after ")
    assert time.perf_counter() - started < 5.0
    assert result.duration > 0.05
    assert (hanging.calls, len(threads_of("hangs"))) == (1, 1)
    hanging.let_go.set()
    while threads_of("hangs"):
        await asyncio.sleep(0.001)
    assert (await handler.check()).status == "ok"
    assert hanging.calls == 2


def test_a_coroutine_that_ignores_its_cancellation_is_not_started_again(virtually, loop_time):
    """Probes are told that it is still running, for as long as it is."""
    calls = []

    async def stubborn():
        calls.append(loop_time())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(90)

    async def main():
        handler = Handler("infermux", "1.0.0", clock=loop_time)
        handler.add_check("stubborn", stubborn)
        assert (await handler.check()).checks["stubborn"].problem == "timed out after 2s"
        await asyncio.sleep(73)
        assert (await handler.check()).checks["stubborn"].problem == "still running after 1m15s"
        assert loop_time() == 75.0
        await asyncio.sleep(20)
        assert (await handler.check()).checks["stubborn"].problem == "timed out after 2s"
        assert calls == [0.0, 95.0]

    virtually(main())


def test_a_cancelled_probe_leaves_the_run_to_the_others(virtually, loop_time):
    """A client that goes away does not make the check fail for the rest."""

    async def main():
        handler = Handler("infermux", "1.0.0", clock=loop_time)
        handler.add_check("database", functools.partial(asyncio.sleep, 1.0))
        first, second = (asyncio.create_task(handler.check()) for _ in range(2))
        await asyncio.sleep(0.5)
        first.cancel()
        assert (await second).status == "ok"
        assert first.cancelled()
        assert not [each for each in asyncio.all_tasks() if "database" in each.get_name()]

    virtually(main())


@pytest.mark.parametrize("ends", ["by itself", "by its timeout"])
def test_a_run_that_nobody_waits_for_ends_and_leaves_no_task(virtually, loop_time, ends):
    """Its check owns it, and it ends at the latest by its timeout."""
    duration = {"by itself": 1.0, "by its timeout": 1000.0}[ends]

    async def main():
        handler = Handler("infermux", "1.0.0", clock=loop_time)
        handler.add_check("database", functools.partial(asyncio.sleep, duration))
        probe = asyncio.create_task(handler.check())
        await asyncio.sleep(0.5)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        await asyncio.sleep(1.6)
        assert not [each for each in asyncio.all_tasks() if "database" in each.get_name()]

    virtually(main())


async def test_no_task_is_left_when_a_check_times_out():
    """The cancelled coroutine has ended when the probe gets its answer."""
    handler = Handler("infermux", "1.0.0")
    for number in range(5):
        handler.add_check(f"hangs {number}", asyncio.Event().wait, timeout=0.01)
    before = asyncio.all_tasks()
    await handler.check()
    assert asyncio.all_tasks() == before


async def test_a_check_may_be_removed_while_it_runs(hanging):
    """The probe that waits for it gets its answer; the next does not know it."""
    handler = Handler("infermux", "1.0.0")
    handler.add_check("disk", hanging)
    probe = asyncio.create_task(handler.check())
    while not hanging.calls:
        await asyncio.sleep(0.001)
    handler.remove_check("disk")
    assert (await handler.check()).checks == {}
    hanging.let_go.set()
    assert (await probe).checks["disk"].problem is None


def test_probes_in_several_loops_share_one_run(hanging):
    """A server thread and a script in another thread wait for one call of the check."""
    handler = Handler("infermux", "1.0.0")
    handler.add_check("disk", hanging, timeout=30)
    waiting, reports = [], []

    async def probe():
        report = asyncio.create_task(handler.check())
        for _ in range(5):
            await asyncio.sleep(0)
        waiting.append(1)
        reports.append(await report)

    probes = [threading.Thread(target=lambda: asyncio.run(probe())) for _ in range(4)]
    for each in probes:
        each.start()
    while len(waiting) < 4:
        time.sleep(0.001)  # in real threads time is real
    hanging.let_go.set()
    for each in probes:
        each.join()
    assert [each.status for each in reports] == ["ok"] * 4
    assert hanging.calls == 1


@pytest.mark.parametrize(
    ("end", "timeout", "told"),
    [("cancels its tasks", 30, "cancelled"), ("stops", 1, "timed out after 1s")],
)
def test_an_event_loop_that_ends_takes_its_runs_along(end, timeout, told):
    """Whoever waits in another loop hears of it in time, and the next probe runs the check."""
    handler = Handler("infermux", "1.0.0")
    calls = []
    started = threading.Event()
    other_waits = threading.Event()

    async def check():
        calls.append(asyncio.get_running_loop())
        started.set()
        if len(calls) == 1:
            await asyncio.sleep(3600)

    handler.add_check("database", check, timeout=timeout)
    loop = asyncio.new_event_loop()

    async def begin():
        probe = asyncio.create_task(handler.check())
        while not other_waits.is_set():
            await asyncio.sleep(0.001)
        return probe

    async def cancel_tasks():
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def work_in_a_loop_that_ends():
        loop.run_until_complete(begin())
        if end == "cancels its tasks":
            loop.run_until_complete(cancel_tasks())

    async def probe_elsewhere():
        asyncio.get_running_loop().call_later(0.05, other_waits.set)
        return await handler.check()

    thread = threading.Thread(target=work_in_a_loop_that_ends)
    thread.start()
    started.wait()
    problem = asyncio.run(probe_elsewhere()).checks["database"].problem
    thread.join()
    assert problem == told
    assert asyncio.run(handler.check()).status == "ok"
    assert len(calls) == 2
    loop.run_until_complete(cancel_tasks())
    loop.close()


def test_many_threads_may_probe_and_change_the_checks_at_once():
    """A stress test: no call fails, no check runs twice at a time, nothing is left running."""
    handler = Handler("infermux", "1.0.0")
    running = dict.fromkeys("abcd", 0)
    overlaps = []
    guard = threading.Lock()

    def check(name):
        with guard:
            running[name] += 1
            overlaps.append(running[name])
        time.sleep(0.001)
        with guard:
            running[name] -= 1

    async def coroutine_check(name):
        with guard:
            running[name] += 1
            overlaps.append(running[name])
        await asyncio.sleep(0.001)
        with guard:
            running[name] -= 1

    for name in "ab":
        handler.add_check(name, functools.partial(check, name), timeout=30)
    for name in "cd":
        handler.add_check(name, functools.partial(coroutine_check, name), timeout=30)
    failures = []

    async def probe():
        for _ in range(10):
            reports = await asyncio.gather(*(handler.check() for _ in range(5)))
            failures.extend(each for each in reports if each.status != "ok")

    def change(number):
        for _ in range(100):
            handler.add_check(f"extra {number}", lambda: None)
            handler.set_ready(True)
            handler.remove_check(f"extra {number}")

    threads = [threading.Thread(target=asyncio.run, args=(probe(),)) for _ in range(6)]
    threads += [threading.Thread(target=change, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(overlaps) == {1}
    assert set(running.values()) == {0}
