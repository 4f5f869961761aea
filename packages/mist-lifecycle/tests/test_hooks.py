"""Hooks run in reverse order, each in its share of the time, whatever the others do."""

import asyncio
import contextlib
import functools
import threading
import time

import pytest

from mist.lifecycle import (
    LifecycleError,
    ShutdownTimeout,
    on_shutdown,
    run,
    run_async,
)


@pytest.fixture
def log():
    """What happened, and when."""

    class Log(list):
        def note(self, what):
            self.append((what, asyncio.get_running_loop().time()))

    return Log()


def ended(virtually, main, **options):
    """Run main in virtual time; the report."""
    reports = []
    with contextlib.suppress(ShutdownTimeout):
        virtually(run_async(main, signals=False, on_report=reports.append, **options))
    return reports[0]


def test_the_last_registered_runs_first():
    """LIFO, sync and async alike, and those marked last after the others."""
    ran = []

    async def main():
        on_shutdown(functools.partial(ran.append, "sink"), last=True)
        on_shutdown(functools.partial(ran.append, "first"))
        on_shutdown(later)
        on_shutdown(functools.partial(ran.append, "log"), last=True)

    async def later():
        ran.append("second")

    run(main)
    assert ran == ["second", "first", "log", "sink"]


def test_one_stuck_hook_does_not_use_up_the_time_of_the_others(virtually, log):
    """It is cancelled when its share is over, and named; the next ones have theirs."""

    async def main():
        for seconds in (3, 2, 1000, 1):
            on_shutdown(functools.partial(hook, seconds))

    async def hook(seconds):
        try:
            await asyncio.sleep(seconds)
            log.note(f"{seconds} done")
        except asyncio.CancelledError:
            log.note(f"{seconds} cancelled")
            raise

    report = ended(virtually, main)
    # 1 leaves (10 - 1) / 3 = 3 to each, a tenth of which is for unwinding.
    assert log == [("1 done", 1), ("1000 cancelled", 3.7), ("2 done", 5.7), ("3 done", 8.7)]
    assert [each.problem for each in report.hooks] == ["", "stalled", "", ""]
    assert [(each.name, each.phase) for each in report.stragglers] == [
        (report.hooks[1].name, "hooks")
    ]
    assert report.hooks[1].allowed == 3


def test_all_hooks_stuck_take_no_longer_than_allowed(virtually):
    """Ten stuck ones have a tenth each, at least."""

    async def main():
        for _ in range(10):
            on_shutdown(functools.partial(asyncio.sleep, 1000))

    report = ended(virtually, main)
    assert 9 <= report.seconds <= 10
    assert all(each.allowed >= 1 for each in report.hooks)
    assert len(report.stragglers) == 10


def test_a_hook_that_ignores_its_cancellation_is_left_behind(virtually, log):
    """The others still run in time, and the run ends."""
    release = asyncio.Event()

    async def stubborn():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                log.note("ignored")

    async def hook():
        log.note("hook")

    async def main():
        on_shutdown(hook)
        on_shutdown(stubborn)

    async def check():
        with pytest.raises(ShutdownTimeout):
            await run_async(main, signals=False)
        release.set()
        await asyncio.sleep(0)

    virtually(check())
    assert log[:2] == [("ignored", 4.5), ("hook", 5)]


def test_a_hook_may_unwind_after_its_share(virtually, log):
    """Its `finally` blocks have the last tenth of its share."""

    async def hook():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.25)
            log.note("unwound")

    async def other():
        log.note("other")

    async def main():
        on_shutdown(other)
        on_shutdown(hook)

    ended(virtually, main)
    assert log == [("unwound", 4.75), ("other", 4.75)]


def test_a_stuck_sync_hook_is_left_behind_and_named_with_its_stack():
    """Its thread is no reason to wait, and no reason for the interpreter not to exit."""
    reports, ran, release = [], [], threading.Event()

    def stuck():
        release.wait(30)

    async def main():
        on_shutdown(lambda: ran.append("hook"))
        on_shutdown(stuck)

    began = time.monotonic()
    with pytest.raises(ShutdownTimeout, match=r"stuck \(hooks\)"):
        run(main, shutdown_timeout=0.4, on_report=reports.append)
    assert time.monotonic() - began < 5
    (thread,) = [each for each in threading.enumerate() if each.name == "hook stuck"]
    assert thread.daemon
    release.set()
    thread.join()
    assert ran == ["hook"]
    stack = reports[0].stragglers[0].stack
    assert stack[0].endswith("<locals>.stuck")


def test_sync_hooks_run_off_the_loop():
    """One that blocks does not stop the loop's other tasks."""
    seen = []

    async def heartbeat():
        while True:
            seen.append(threading.current_thread())
            await asyncio.sleep(0.01)

    def blocking():
        seen.append(threading.current_thread())
        count = len(seen)
        while len(seen) < count + 3:
            time.sleep(0.01)

    async def main():
        on_shutdown(blocking)
        main.task = asyncio.create_task(heartbeat())

    run(main)
    assert len(set(seen)) == 2


def test_what_a_sync_hook_returns_is_awaited():
    """A lambda around a coroutine function, a partial and a callable object work."""
    ran = []

    class Server:
        async def shutdown(self, how="by itself"):
            ran.append(how)

        async def __call__(self):
            ran.append("called")

    async def main():
        server = Server()
        on_shutdown(server)
        on_shutdown(lambda: server.shutdown("by lambda"))
        on_shutdown(functools.partial(server.shutdown, "by partial"))
        on_shutdown(server.shutdown)

    run(main)
    assert ran == ["by itself", "by partial", "by lambda", "called"]


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), StopIteration()]
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_hooks_that_raise_do_not_stop_the_others(error, kind):
    """Whatever it is they raise; it comes out of the run at the end."""
    ran = []

    def sync():
        raise error

    async def asynchronous():
        raise error

    async def main():
        on_shutdown(lambda: ran.append("other"))
        on_shutdown(sync if kind == "sync" else asynchronous)

    # A coroutine cannot raise StopIteration; Python makes a RuntimeError of it.
    with pytest.raises((type(error), RuntimeError)):
        run(main)
    assert ran == ["other"]


def test_hooks_registered_during_the_shutdown_still_run():
    """By main when it is cancelled, by hooks, by hooks that run last, and by leftover tasks."""
    ran = []

    def late(name):
        on_shutdown(functools.partial(ran.append, name))

    def during(name):
        ran.append(name)
        late(f"by {name}")

    async def leftover():
        try:
            await asyncio.sleep(60)
        finally:
            late("by task")

    async def main():
        main.task = asyncio.create_task(leftover())
        on_shutdown(functools.partial(during, "last hook"), last=True)
        on_shutdown(functools.partial(during, "hook"))
        try:
            asyncio.current_task().get_loop().call_soon(stop)
            await asyncio.sleep(60)
        finally:
            late("by main")

    from mist.lifecycle import request_shutdown as stop

    run(main)
    assert ran == ["by main", "hook", "by hook", "last hook", "by last hook", "by task"]


def test_a_hook_that_awaits_a_task_it_cancelled_has_not_failed():
    """The usual slip: the CancelledError of that task comes out of the hook."""
    reports = []

    async def main():
        task = asyncio.create_task(asyncio.sleep(60))

        @on_shutdown
        async def stop():
            task.cancel()
            await task

    run(main, on_report=reports.append)
    assert (reports[0].errors, reports[0].hooks[0].problem) == ((), "")


def test_on_shutdown_is_a_decorator():
    """It gives the function back."""

    async def main():
        @on_shutdown
        def hook():
            return "callable still"

        return hook()

    assert run(main) == "callable still"


async def test_what_a_call_only_makes_a_generator_of_cannot_be_registered():
    """Nothing of it would run: not before its `yield`, and not after."""

    def plain():
        yield

    async def coroutine():
        yield

    async def main():
        for hook in (plain, coroutine):
            with pytest.raises(
                LifecycleError, match="has a yield, so that a call of it runs nothing"
            ):
                on_shutdown(hook)

    await run_async(main)


async def test_what_cannot_be_called_cannot_be_registered():
    """A coroutine in place of its function is the usual mistake; there is no second warning."""

    async def main():
        with pytest.raises(LifecycleError, match="pass the function, not what it returns"):
            on_shutdown(asyncio.sleep(0))
        with pytest.raises(LifecycleError, match="cannot be called"):
            on_shutdown(None)

    await run_async(main)


def test_no_time_for_hooks_runs_them_as_far_as_they_get_without_waiting(virtually, log):
    """With shutdown_timeout=0 each is begun all the same."""

    async def main():
        on_shutdown(waits)
        on_shutdown(does_not_wait)

    async def waits():
        log.note("begun")
        await asyncio.sleep(1)
        log.note("never")

    async def does_not_wait():
        log.note("done")

    report = ended(virtually, main, shutdown_timeout=0)
    assert log == [("done", 0), ("begun", 0)]
    assert [each.problem for each in report.hooks] == ["", "stalled"]
