"""The same step asked for twice at once runs once."""

import asyncio
import contextlib
import functools
import gc
import itertools
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mist import checkpoint
from mist.checkpoint import CheckpointError
from mist.checkpoint.latch import Latch


async def test_the_second_waits_for_the_first_and_gets_its_result(tmp_path):
    """A hundred tasks ask for one step: one call, one and the same result."""
    calls = []

    async def work():
        calls.append(1)
        await asyncio.sleep(0.01)
        return {"made": len(calls)}

    async with checkpoint.open(tmp_path, "run") as tracker:
        results = await asyncio.gather(*(tracker.step("a", work) for _ in range(100)))
    assert calls == [1]
    assert all(result is results[0] for result in results)


async def test_the_second_gets_the_firsts_error(tmp_path):
    """It is one failure; whoever asks afterwards tries again."""
    calls = []

    async def work():
        calls.append(1)
        await asyncio.sleep(0.01)
        raise RuntimeError(f"call {len(calls)}")

    async with checkpoint.open(tmp_path, "run") as tracker:
        outcomes = await asyncio.gather(
            *(tracker.step("a", work) for _ in range(10)), return_exceptions=True
        )
        assert [str(outcome) for outcome in outcomes] == ["call 1"] * 10
        with pytest.raises(RuntimeError, match="call 2"):
            await tracker.step("a", work)


async def test_the_second_takes_over_where_the_first_is_cancelled(tmp_path, log):
    """The cancelled step has not failed: it is pending, and then somebody else completes it."""
    started, calls = asyncio.Event(), []

    async def work():
        calls.append(1)
        started.set()
        await asyncio.sleep(10 if len(calls) == 1 else 0)
        return len(calls)

    async with checkpoint.open(tmp_path, "run") as tracker:
        first = asyncio.create_task(tracker.step("a", work))
        await started.wait()
        others = [asyncio.create_task(tracker.step("a", work)) for _ in range(5)]
        await asyncio.sleep(0.01)
        first.cancel()
        assert await asyncio.gather(*others) == [2] * 5
        assert first.cancelled()
    assert [r["status"] for r in log()] == ["running", "pending", "running", "completed"]


def abandon(tracker, name):
    """Leave a step under way in an event loop that is closed, and return its task."""

    async def begin():
        started = asyncio.Event()

        async def work():
            started.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(tracker.step(name, work))
        await started.wait()
        return task

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it would complain of the task
    task = loop.run_until_complete(begin())
    loop.close()
    return task


def test_the_second_takes_over_where_the_first_is_abandoned(tmp_path, log):
    """The collector ends it, in a context that is not the step's."""
    with checkpoint.open(tmp_path, "run") as tracker, ThreadPoolExecutor() as threads:
        first = abandon(tracker, "a")
        second = threads.submit(tracker.step_sync, "a", lambda: 2)
        time.sleep(0.1)  # for real, so that its thread waits by now
        del first
        gc.collect()
        assert second.result(10) == 2
    assert [r["status"] for r in log()] == ["running", "pending", "running", "completed"]


@pytest.mark.parametrize("line", range(1, 16))
@pytest.mark.parametrize("way", ["thread", "task"])
def test_the_collector_may_end_a_step_in_any_line_that_asks_for_it(tmp_path, way, line):
    """Whatever locks its thread holds there, and however far that is from waiting."""
    lines = itertools.count(1)

    def trace(frame, event, _):
        asks = frame.f_code.co_name in {"_claim", "block", "wait"}
        if asks and event == "line" and next(lines) == line:
            gc.collect()
        return trace

    async def work():
        return 2

    def ask():
        sys.settrace(trace)
        if way == "thread":
            results.append(tracker.step_sync("a", lambda: 2))
        else:
            results.append(asyncio.run(tracker.step("a", work)))

    results = []
    gc.disable()
    try:
        with checkpoint.open(tmp_path, "run") as tracker:
            cycle = [abandon(tracker, "a")]
            cycle.append(cycle)
            del cycle
            thread = threading.Thread(target=ask, daemon=True)
            thread.start()
            thread.join(1)
            gc.collect()  # where there are fewer lines
            thread.join(10)
    finally:
        gc.enable()
    assert results == [2]


async def test_a_cancelled_second_disturbs_nobody(tmp_path):
    """It only waited; the first and a third get the result."""
    release = asyncio.Event()

    async def work():
        await release.wait()
        return 1

    async with checkpoint.open(tmp_path, "run") as tracker:
        tasks = [asyncio.create_task(tracker.step("a", work)) for _ in range(3)]
        await asyncio.sleep(0.01)
        tasks[1].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tasks[1]
        release.set()
        assert await tasks[0] == await tasks[2] == 1


def test_threads_share_a_step_as_tasks_do(tmp_path):
    """Eight threads, one call."""
    calls, results = [], []
    entered = threading.Barrier(8)

    def work():
        calls.append(1)
        threading.Event().wait(0.05)
        return 1

    with checkpoint.open(tmp_path, "run") as tracker:

        def ask():
            entered.wait()
            results.append(tracker.step_sync("a", work))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (calls, results) == ([1], [1] * 8)


async def test_a_thread_and_a_task_share_a_step(tmp_path):
    """The task runs it, the thread waits for it, and the loop stays free."""
    started, release = asyncio.Event(), asyncio.Event()

    async def work():
        started.set()
        await release.wait()
        return "from the task"

    async with checkpoint.open(tmp_path, "run") as tracker:
        task = asyncio.create_task(tracker.step("a", work))
        await started.wait()
        thread = asyncio.create_task(
            asyncio.to_thread(tracker.step_sync, "a", lambda: "from the thread")
        )
        await asyncio.sleep(0.02)
        release.set()
        assert await task == await thread == "from the task"


async def test_threads_that_wait_for_a_task_do_not_keep_it_from_ending(tmp_path):
    """Though they be all that the loop has, and the task's result goes into a file."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    started, go_on = asyncio.Event(), asyncio.Event()

    async def work():
        started.set()
        await go_on.wait()
        return "a result"

    async with checkpoint.open(tmp_path, "run", spill_over=0) as tracker:
        first = asyncio.create_task(tracker.step("a", work))
        await started.wait()
        step = functools.partial(tracker.step_sync, "a", lambda: "another")
        others = [asyncio.create_task(asyncio.to_thread(step)) for _ in range(3)]
        await asyncio.sleep(0.1)  # for real, so that their threads wait by now
        go_on.set()
        assert await asyncio.wait_for(first, 10) == "a result"
        assert await asyncio.gather(*others) == ["a result"] * 3


async def test_waiters_in_two_loops_are_both_woken(tmp_path):
    """A step that runs in one event loop is waited for in another."""
    started, release = asyncio.Event(), asyncio.Event()

    async def work():
        started.set()
        await release.wait()
        return 1

    async with checkpoint.open(tmp_path, "run") as tracker:
        task = asyncio.create_task(tracker.step("a", work))
        await started.wait()
        other = asyncio.create_task(asyncio.to_thread(asyncio.run, tracker.step("a", work)))
        await asyncio.sleep(0.05)
        release.set()
        assert await task == await other == 1


async def test_a_step_that_waits_for_itself_is_told_so(tmp_path):
    """Also across tasks that it started; it would wait for ever."""
    async with checkpoint.open(tmp_path, "run") as tracker:

        async def work():
            with pytest.raises(CheckpointError, match="waits for itself") as caught:
                await asyncio.create_task(tracker.step("a", work))
            assert caught.value.code == "conflict"
            return 1

        assert await tracker.step("a", work) == 1
    with await asyncio.to_thread(checkpoint.open, tmp_path, "sync") as tracker:

        def plain():
            with pytest.raises(CheckpointError, match="waits for itself"):
                tracker.step_sync("a", plain)
            return 1

        assert await asyncio.to_thread(tracker.step_sync, "a", plain) == 1


async def test_blocking_the_loop_that_runs_the_step_is_refused(tmp_path):
    """`step_sync` in a coroutine would wait for a task that can never go on."""
    async with checkpoint.open(tmp_path, "run") as tracker:
        started = asyncio.Event()

        async def work():
            started.set()
            await asyncio.sleep(0.01)
            return 1

        task = asyncio.create_task(tracker.step("a", work))
        await started.wait()
        with pytest.raises(CheckpointError, match="event loop that this call blocks"):
            tracker.step_sync("a", lambda: 2)
        assert await task == 1


async def test_a_latch_that_is_open_keeps_nobody_waiting():
    """Who comes too late to be woken does not wait at all, in a thread or in a task."""
    latch = Latch()
    latch.open()
    latch.block()
    await asyncio.wait_for(latch.wait(), 1)


def test_a_loop_that_has_ended_does_not_keep_the_others_from_waking():
    """Its tasks have gone with it."""
    latch = Latch()

    async def leave_one_behind():
        waiting = asyncio.create_task(latch.wait())
        await asyncio.sleep(0)
        waiting.cancel()

    async def wake():
        waiting = asyncio.create_task(latch.wait())
        await asyncio.sleep(0)
        latch.open()
        await asyncio.wait_for(waiting, 5)

    asyncio.run(leave_one_behind())
    asyncio.run(wake())
