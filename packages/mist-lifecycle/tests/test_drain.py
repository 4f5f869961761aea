"""Work in flight may finish, main hears of the end as it listens, and time is kept."""

import asyncio
import contextlib
import inspect
import os
import threading

import pytest

from mist.lifecycle import (
    LifecycleError,
    ShutdownTimeout,
    drain_group,
    on_shutdown,
    request_shutdown,
    run_async,
    shutting_down,
)


class Ready:
    """What mist.health's Handler is to a run."""

    def __init__(self, log, name="ready"):
        self.log = log
        self.name = name

    def set_ready(self, ready: bool) -> None:
        """Say whether traffic is wanted."""
        self.log.append((self.name, ready))


@pytest.fixture
def log():
    """What happened, and when."""

    class Log(list):
        def note(self, what):
            self.append((what, asyncio.get_running_loop().time()))

    return Log()


def ended(virtually, main, **options):
    """Run main in virtual time; the report, and the error if there was one."""
    reports = []
    with contextlib.suppress(ShutdownTimeout):
        virtually(run_async(main, signals=False, on_report=reports.append, **options))
    return reports[0]


def test_readiness_fails_first(virtually, log):
    """Before the event is set, before anything is cancelled, and for each of several."""

    async def main():
        stop = shutting_down()
        on_shutdown(hook)
        request_shutdown()
        await stop.wait()
        log.append("main told")

    async def hook():
        log.append("hook")

    ended(virtually, main, readiness=[Ready(log, "a"), Ready(log, "b")])
    assert log == [("a", False), ("b", False), "main told", "hook"]


def test_a_readiness_that_raises_does_not_stop_the_others(virtually, log):
    """It is one of the errors."""

    class Broken:
        def set_ready(self, _ready):
            raise OSError("gone")

    async def main():
        pass

    with pytest.raises(OSError, match="gone"):
        virtually(run_async(main, signals=False, readiness=[Broken(), Ready(log)]))
    assert log == [("ready", False)]


def test_a_main_that_does_not_listen_is_cancelled_at_once(virtually, log):
    """Where no work is in flight, nobody waits for the drain timeout."""

    async def main():
        request_shutdown()
        try:
            await asyncio.sleep(1000)
        finally:
            log.note("cancelled")

    assert ended(virtually, main).seconds == 0
    assert log == [("cancelled", 0)]


def test_a_main_that_does_not_listen_goes_on_until_its_work_is_done(virtually, log):
    """Work that main tracks is not torn from it, nor what follows while it is at it."""

    async def job(group, name, seconds):
        async with group.track(name):
            await asyncio.sleep(seconds)
            log.note(name)

    async def main():
        group = drain_group()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(job(group, "short", 1))
            tasks.create_task(job(group, "long", 3))
            tasks.create_task(asyncio.sleep(1000))
            await asyncio.sleep(0)
            request_shutdown()

    assert ended(virtually, main).seconds == 3
    assert log == [("short", 1), ("long", 3)]


def test_a_main_that_listens_has_the_drain_time_to_return(virtually, log):
    """It is not cancelled, and its result counts."""

    async def main():
        stop = shutting_down()
        request_shutdown()
        await stop.wait()
        assert stop.is_set()
        await asyncio.sleep(14)
        log.note("returned")
        return "result"

    assert virtually(run_async(main, signals=False)) == "result"
    assert log == [("returned", 14)]


def test_a_main_that_listens_too_long_is_cancelled_and_named(virtually, log):
    """After drain_timeout; then it has its share of the rest for its `finally` blocks."""

    async def main():
        shutting_down()
        request_shutdown()
        on_shutdown(hook)
        try:
            await asyncio.sleep(1000)
        finally:
            log.note("cancelled")
            await asyncio.sleep(2)
            log.note("unwound")

    async def hook():
        log.note("hook")

    report = ended(virtually, main)
    assert log == [("cancelled", 15), ("unwound", 17), ("hook", 17)]
    assert [(each.name, each.phase) for each in report.stragglers] == [("main", "drain")]


def test_a_main_that_cannot_be_ended_does_not_hold_up_the_hooks(virtually, log):
    """It has half of shutdown_timeout, as one of two; then the hook runs."""

    async def main():
        request_shutdown()
        on_shutdown(hook)
        ends = asyncio.get_running_loop().time() + 30
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(left)

    async def hook():
        log.note("hook")

    report = ended(virtually, main)
    assert log == [("hook", 20)]
    assert [(each.name, each.phase) for each in report.stragglers] == [("main", "cancel")]


@pytest.mark.parametrize("listens", [True, False])
def test_tasks_spawned_during_draining_are_counted(virtually, log, listens):
    """A piece of work may bring forth another; the hooks wait for both."""

    async def first(group):
        await asyncio.sleep(5)
        group.spawn(second())

    async def second():
        await asyncio.sleep(5)
        log.note("second")

    async def main():
        if listens:
            shutting_down()
        group = drain_group()
        group.spawn(first(group))
        on_shutdown(hook)

    async def hook():
        log.note("hook")

    report = ended(virtually, main)
    assert log == [("second", 10), ("hook", 10)]
    assert report.stragglers == ()


def test_work_that_takes_too_long_is_named_with_its_stack(virtually, log):
    """Each kind of work, and how many pieces; what the group spawned is cancelled."""

    async def job():
        try:
            await asyncio.sleep(1000)
        finally:
            log.note("job cancelled")

    async def tracked(group):
        async with group.track("order 7"):
            await asyncio.sleep(20)

    async def main():
        group = drain_group("requests")
        group.add(3)
        group.done()
        group.spawn(job(), name="job 1")
        task = asyncio.create_task(tracked(group))
        on_shutdown(hook)
        await asyncio.sleep(1)
        return task

    async def hook():
        log.note("hook")

    report = ended(virtually, main)
    assert [each.name for each in report.stragglers] == [
        "work added to requests x 2",
        "job 1",
        "order 7",
    ]
    assert log == [("job cancelled", 16), ("hook", 16)]
    assert "in test_work_that_takes" in report.stragglers[2].stack[0]
    drain = next(each for each in report.phases if each.name == "drain")
    assert (drain.seconds, drain.allowed) == (15, 15)


def test_the_whole_takes_no_longer_than_both_timeouts(virtually, log):
    """However much stalls: work, main and three hooks, all of which ignore cancellation."""
    released = asyncio.Event()

    async def stubborn():
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                log.note("ignored")

    async def main():
        shutting_down()
        drain_group().add()
        for _ in range(3):
            on_shutdown(stubborn)
        request_shutdown()
        await stubborn()

    async def bounded():
        reports = []
        with pytest.raises(ShutdownTimeout):
            await run_async(main, signals=False, on_report=reports.append)
        released.set()
        await asyncio.sleep(0)
        return reports[0]

    report = virtually(bounded())
    assert 25 <= report.seconds <= 25.2
    assert len(log) >= 4


async def test_threads_and_tasks_share_a_group():
    """Under stress no piece of work is lost, and the shutdown waits for all."""
    finished = []

    def in_thread(group, number):
        for _ in range(50):
            group.add()
        for _ in range(50):
            with group.track(f"thread {number}"):
                pass
            group.done()
        finished.append(number)

    async def task(group, number):
        async with group.track(f"task {number}"):
            await asyncio.to_thread(in_thread, group, number)

    async def main():
        group = drain_group()
        for number in range(20):
            group.spawn(task(group, number))

    await run_async(main)
    assert sorted(finished) == list(range(20))


async def test_a_thread_that_holds_up_the_drain_is_named_with_its_stack():
    """Where it is blocked is told of a thread too."""
    reports, release = [], threading.Event()

    def blocked(group):
        with group.track("blocked thread"):
            release.wait(30)

    async def main():
        group = drain_group()
        task = asyncio.get_running_loop().run_in_executor(None, blocked, group)
        await asyncio.sleep(0.1)
        return task

    with pytest.raises(ShutdownTimeout):
        await run_async(main, drain_timeout=0.1, on_report=reports.append)
    release.set()
    (straggler,) = reports[0].stragglers
    assert straggler.name == "blocked thread"
    assert any(line.endswith(".blocked") for line in straggler.stack)


def test_done_without_add_is_an_error(virtually):
    """The count never goes below zero."""

    async def main():
        group = drain_group()
        group.add()
        group.done()
        with pytest.raises(LifecycleError, match="more often than add"):
            group.done()

    virtually(run_async(main, signals=False))


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2"])
def test_only_whole_pieces_can_be_added(virtually, count):
    """Anything but an integer of 1 or more is an error."""

    async def main():
        with pytest.raises(LifecycleError, match="count must be 1 or more"):
            drain_group().add(count)

    virtually(run_async(main, signals=False))


def test_the_error_of_spawned_work_is_its_own(virtually):
    """Whoever awaits the task hears of it; the run does not fail for it."""

    async def fail():
        raise OSError("request failed")

    async def main():
        task = drain_group().spawn(fail(), name="request")
        with pytest.raises(OSError, match="request failed"):
            await task
        return task.get_name()

    assert virtually(run_async(main, signals=False)) == "request"


def test_what_is_no_coroutine_is_not_spawned(virtually):
    """Nothing would ever end it: the shutdown would wait for it in vain."""

    async def main():
        group = drain_group("jobs")
        with pytest.raises(LifecycleError, match=r"jobs: spawn runs a coroutine, got .*; call"):
            group.spawn(asyncio.sleep)

    assert not ended(virtually, main).stragglers


def test_nothing_is_spawned_where_no_event_loop_runs(virtually):
    """The coroutine is closed, and no shutdown waits for it."""

    async def main():
        thread = threading.Thread(target=spawn, args=(drain_group("jobs"), job))
        thread.start()
        thread.join()

    def spawn(group, job):
        with pytest.raises(RuntimeError, match="no running event loop"):
            group.spawn(job)

    job = asyncio.sleep(0)
    assert not ended(virtually, main).stragglers
    assert inspect.getcoroutinestate(job) == inspect.CORO_CLOSED


def test_no_time_to_drain_is_no_wait(virtually, log):
    """With drain_timeout=0 work is ended at once, and hooks have their time."""

    async def main():
        drain_group().spawn(asyncio.sleep(1000), name="job")
        on_shutdown(hook)

    async def hook():
        await asyncio.sleep(8)
        log.note("hook")

    report = ended(virtually, main, drain_timeout=0)
    assert log == [("hook", 8)]
    assert [each.name for each in report.stragglers] == ["job"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_ends_what_its_parent_began_and_begins_nothing(program):
    """Nobody waits there for its work; and a lock that another thread had does not hold it up."""
    running = program("""
        def refused(call):
            try:
                call()
            except LifecycleError as exc:
                return "forked from" in str(exc)

        async def main():
            group = drain_group("requests")
            group.add()
            held, go_on = threading.Event(), threading.Event()

            def hold():
                with group._in_flight._lock:
                    held.set()
                    go_on.wait()

            thread = threading.Thread(target=hold)
            with group.track("block"):
                thread.start()
                held.wait()
                child = os.fork()
                if child != 0:
                    go_on.set()
            if child == 0:
                signal.alarm(20)
                group.done()
                work = asyncio.sleep(0)
                calls = [group.add, group.track("job").__enter__, lambda: group.spawn(work)]
                calls += [drain_group, request_shutdown, lambda: on_shutdown(print)]
                os._exit(not all(map(refused, calls)))
            thread.join()
            group.done()
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

        run(main)
    """)
    code, out, err = running.end()
    assert (code, out) == (0, ["0"]), err
