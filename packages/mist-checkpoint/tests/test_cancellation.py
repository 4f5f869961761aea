"""Cancelled at any moment, a step is either recorded as completed or runs again.

A cancellation is never a failure, is never swallowed, and leaves no task and no claim behind.
"""

import asyncio
import contextlib
import itertools
import os
import random

import pytest

from mist import checkpoint
from mist.checkpoint import read_records


class _CancelledAt:
    """Awaits a coroutine, and cancels the task at its n-th suspension."""

    def __init__(self, work, suspension, when):
        self.work, self.suspension, self.when = work, suspension, when
        self.happened = False

    def __await__(self):
        task, steps = asyncio.current_task(), self.work.__await__()
        send, value = steps.send, None
        for number in itertools.count():
            try:
                awaited = send(value)
            except StopIteration as end:
                return end.value
            if number == self.suspension:
                self.happened = True
                if self.when == "waiting" or awaited is None:
                    task.cancel()
                else:
                    # Called before the task's own callback: woken and cancelled in one step.
                    awaited.add_done_callback(lambda _: task.cancel())
            try:
                value, send = (yield awaited), steps.send
            except BaseException as exc:  # noqa: BLE001  # passed on into the work
                value, send = exc, steps.throw

    async def run(self):
        return await self


def statuses(path, step):
    """Return what the log says about a step, in order."""
    return [str(record.status) for record in read_records(path) if record.step == step]


@pytest.mark.parametrize("when", ["waiting", "woken"])
@pytest.mark.parametrize("kind", ["first", "second", "retry", "large", "stored", "superseding"])
async def test_cancelled_at_every_await_point(tmp_path, kind, when):
    """Afterwards the step is completed in the log and in memory, or in neither; then it runs."""
    for suspension in range(100):
        run = f"{kind}-{when}-{suspension}"
        calls = []

        async def work(calls=calls):
            calls.append(1)
            await asyncio.sleep(0)
            if kind == "retry" and len(calls) == 1:
                raise RuntimeError("not yet")
            await asyncio.sleep(0.001)
            return "result" * (1000 if kind in {"large", "stored"} else 1)

        async with checkpoint.open(tmp_path, run, spill_over=1000) as tracker:
            before = {"stored": 1, "superseding": 0}.get(kind)
            if before is not None:
                await tracker.step("a", work, inputs=before)
            if kind == "second":
                other = asyncio.create_task(tracker.step("a", work))
                await asyncio.sleep(0)
            step = (
                tracker.step_retry("a", 2, work, inputs=1)
                if kind == "retry"
                else tracker.step("a", work, inputs=1)
            )
            cancelled = _CancelledAt(step, suspension, when)
            task = asyncio.create_task(cancelled.run())
            await asyncio.wait([task])
            if cancelled.happened:
                assert task.cancelled()
            if kind == "second":
                await other
            expected = await asyncio.wait_for(tracker.step("a", work, inputs=1), 10)
            assert await asyncio.to_thread(tracker.result, "a") == expected
            recorded = statuses(tmp_path / f"{run}.jsonl", "a")
            assert recorded[-1] == "completed"
            # Nothing that was completed ran again; what was not completed did.
            assert recorded.count("completed") == 1 + (kind == "superseding")
            assert recorded.count("failed") <= (kind == "retry")
            # Each time that it began, it ended as one or the other.
            assert len(calls) <= recorded.count("running")
            assert recorded[::2] == ["running"] * (len(recorded) // 2)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        if not cancelled.happened:
            break
    assert not cancelled.happened
    assert suspension > 0


async def test_a_cancelled_step_is_pending_not_failed(tmp_path, log):
    """The error is the cancellation itself, and it reaches the one who cancelled."""
    async with checkpoint.open(tmp_path, "run") as tracker:
        task = asyncio.create_task(tracker.step("a", lambda: asyncio.sleep(10)))
        await asyncio.sleep(0.01)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        assert task.cancelled()
        assert not tracker.is_completed("a")
    assert [record["status"] for record in log()] == ["running", "pending"]
    async with checkpoint.open(tmp_path, "run") as tracker:
        assert await tracker.step("a", lambda: asyncio.sleep(0, 1)) == 1


async def test_a_deadline_around_a_step_fires(tmp_path):
    """`asyncio.timeout` ends it, and the task's count of cancellations is as before."""
    async with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await tracker.step("a", lambda: asyncio.sleep(10))
        assert asyncio.current_task().cancelling() == 0
        assert await tracker.step("a", lambda: asyncio.sleep(0, 1)) == 1


async def test_a_step_may_have_a_deadline_inside(tmp_path, log):
    """Its own timeout is its failure, for it is an error of the work."""

    async def work():
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)

    async with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(TimeoutError):
            await tracker.step("a", work)
    assert [record["status"] for record in log()] == ["running", "failed"]


async def test_cancelled_while_its_record_is_written_the_step_is_completed(troubled):
    """The work is done and cannot be called back: nobody does it again."""
    import threading

    tracker, file = await asyncio.to_thread(troubled)
    syncing, release, original = threading.Event(), threading.Event(), file.sync

    def stalled():
        syncing.set()
        release.wait()
        original()

    file.sync = stalled
    calls = []

    async def work():
        calls.append(1)
        return len(calls)

    task = asyncio.create_task(tracker.step("a", work))
    await asyncio.to_thread(syncing.wait)
    second = asyncio.create_task(tracker.step("a", work))
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not tracker.is_completed("a")
    release.set()
    assert await second == 1
    assert tracker.is_completed("a")


@pytest.mark.parametrize("seed", range(10))
async def test_impatient_tasks_lose_nothing(tmp_path, seed):
    """Forty tasks ask for ten steps and are cancelled at random, until every step is done.

    Every step is completed exactly once, and begun again only if it was not completed.
    """
    chance = random.Random(seed)
    done, begun = set(), []

    async with checkpoint.open(tmp_path, "run", spill_over=100) as tracker:

        async def ask(number):
            async def work():
                assert number not in done
                begun.append(number)
                await asyncio.sleep(chance.random() / 200)
                return "x" * chance.choice([1, 1000])

            await tracker.step(f"step-{number}", work)
            done.add(number)

        while len(done) < 10:
            tasks = [asyncio.create_task(ask(chance.randrange(10))) for _ in range(40)]
            for task in tasks:
                asyncio.get_running_loop().call_later(chance.random() / 50, task.cancel)
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                assert outcome is None or isinstance(outcome, asyncio.CancelledError)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for number in range(10):
        recorded = statuses(tmp_path / "run.jsonl", f"step-{number}")
        assert recorded.count("completed") == 1
        assert recorded[-1] == "completed"
        assert set(recorded) <= {"running", "pending", "completed"}
        assert begun.count(number) == recorded.count("running")


async def test_cancelled_while_it_opens_a_run_is_not_left_open(tmp_path):
    """Whenever the cancellation comes, the run can be opened afterwards."""
    checkpoint.open(tmp_path, "run").close()
    for suspension in range(20):
        cancelled = _CancelledAt(
            checkpoint.open(tmp_path, "run").__aenter__(), suspension, "waiting"
        )
        task = asyncio.create_task(cancelled.run())
        await asyncio.wait([task])
        if not cancelled.happened:
            await task.result().__aexit__(None, None, None)
            break
        assert task.cancelled()
        async with checkpoint.open(tmp_path, "run"):
            pass
    assert suspension > 0


async def test_cancelled_while_it_closes_a_run_is_closed(tmp_path):
    """And the cancellation arrives."""
    tracker = await checkpoint.open(tmp_path, "run").__aenter__()
    task = asyncio.create_task(
        _CancelledAt(tracker.__aexit__(None, None, None), 0, "waiting").run()
    )
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    async with checkpoint.open(tmp_path, "run"):
        pass


def test_an_interrupt_is_no_failure_either(tmp_path, log):
    """Ctrl-C in a blocking step leaves it pending."""

    def interrupted():
        raise KeyboardInterrupt

    with checkpoint.open(tmp_path, "run") as tracker:
        with pytest.raises(KeyboardInterrupt):
            tracker.step_sync("a", interrupted)
        assert tracker.step_sync("a", lambda: 1) == 1
    assert [r["status"] for r in log()] == ["running", "pending", "running", "completed"]


INTERRUPTED = """
import signal, sys, threading
from mist import checkpoint
under_way, end = threading.Event(), threading.Event()
def work():
    under_way.set()
    end.wait()
def elsewhere():
    tracker.step_sync("a", work)
with checkpoint.open(sys.argv[1], "run") as tracker:
    thread = threading.Thread(target=elsewhere)
    thread.start()
    under_way.wait()
    here = threading.get_ident
    threading.Timer(0.2, lambda: signal.pthread_kill(here(), signal.SIGINT)).start()
    try:
        tracker.step_sync("a", work)
    except KeyboardInterrupt:
        print("interrupted")
    end.set()
    thread.join()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_an_interrupt_that_another_thread_is_given_ends_the_wait_for_its_step(tmp_path, spawn):
    """The system may give the signal to any thread, and then wakes only that one."""
    out, _ = spawn(INTERRUPTED, tmp_path).communicate(timeout=30)
    assert out == "interrupted\n"
