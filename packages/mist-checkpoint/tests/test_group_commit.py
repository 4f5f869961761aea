"""Concurrent steps share an fsync, and none returns before its own record is durable."""

import asyncio
import gc
import threading
import weakref

import pytest

from mist import checkpoint


def records_in(data):
    """Return how many records were written at once."""
    return data.count(b"\n")


async def test_concurrent_steps_share_writes_and_fsyncs(troubled):
    """64 steps at once take a few of each, where one by one they would take 64."""
    tracker, file = await asyncio.to_thread(troubled)

    async def work():
        return 1

    await asyncio.gather(*(tracker.step(f"step-{number}", work) for number in range(64)))
    syncs = [kind for kind, _ in file.history if kind == "sync"]
    assert len(syncs) <= 8
    assert sum(records_in(data) for kind, data in file.history if kind == "append") == 128


def test_threads_share_them_too(troubled):
    """What gathers while one fsync takes its time goes with the next."""
    tracker, file = troubled()
    together, original = threading.Barrier(32), file.sync

    def slow():
        threading.Event().wait(0.01)
        original()

    file.sync = slow

    def work(number):
        together.wait()
        tracker.step_sync(f"step-{number}", lambda: number)

    threads = [threading.Thread(target=work, args=[number]) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([kind for kind, _ in file.history if kind == "sync"]) <= 8


async def test_a_step_returns_only_after_its_own_record_is_durable(troubled):
    """At the moment that each of many steps returns, an fsync has ended since its record's write.

    The file says what is durable: everything that was written when the last fsync began.
    """
    tracker, file = await asyncio.to_thread(troubled)
    written, durable = [b""], [b""]
    append, sync = file.append, file.sync

    def watched_append(data):
        append(data)
        written[0] += data

    def watched_sync():
        begun = written[0]
        sync()
        durable[0] = begun

    file.append, file.sync = watched_append, watched_sync

    async def take(number):
        async def work():
            await asyncio.sleep(number % 7 / 1000)
            return number

        await tracker.step(f"step-{number}", work)
        record = f'{{"step":"step-{number}","status":"completed"'.encode()
        assert record in durable[0]
        assert tracker.is_completed(f"step-{number}")

    await asyncio.gather(*(take(number) for number in range(300)))


async def test_a_step_is_not_completed_before_its_record_is_durable(troubled):
    """While the fsync is under way, nobody is told that the step is done."""
    tracker, file = await asyncio.to_thread(troubled)
    release, syncing, original = threading.Event(), threading.Event(), file.sync

    def stalled():
        syncing.set()
        release.wait()
        original()

    file.sync = stalled

    async def work():
        return 1

    task = asyncio.create_task(tracker.step("a", work))
    await asyncio.to_thread(syncing.wait)
    await asyncio.sleep(0.02)
    assert not task.done()
    assert not tracker.is_completed("a")
    release.set()
    assert await task == 1
    assert tracker.is_completed("a")


def test_a_lone_step_takes_one_fsync(troubled):
    """The record that a step runs is written at once, but nobody waits for the disk."""
    tracker, file = troubled()
    for number in range(10):
        tracker.step_sync(f"step-{number}", lambda: 1)
    assert len([kind for kind, _ in file.history if kind == "sync"]) == 10


def test_a_running_step_is_in_the_log(tmp_path, log):
    """Who looks at the log of a run that goes on sees what it is at."""
    with checkpoint.open(tmp_path, "run") as tracker:

        def work():
            for _ in range(500):
                if log():
                    return log()[-1]["status"]
                threading.Event().wait(0.01)  # real time: another thread writes
            return None

        assert tracker.step_sync("a", work) == "running"


def test_a_result_is_let_go_once_it_is_recorded(tmp_path):
    """The thread that writes does not hold on to the last thing that it wrote."""

    class Large(dict):
        pass

    with checkpoint.open(tmp_path, "run") as tracker:
        kept = weakref.ref(tracker.step_sync("a", lambda: Large(x=1)))
        for _ in range(200):
            gc.collect()
            if kept() is None:
                break
            threading.Event().wait(0.01)  # real time: the other thread may be at its last line
        assert kept() is None


def test_every_tracker_ends_its_thread(tmp_path):
    """Opening and closing leaves nothing running."""
    for number in range(20):
        with checkpoint.open(tmp_path, f"run-{number}") as tracker:
            tracker.step_sync("a", lambda: 1)
    for thread in threading.enumerate():
        if thread.name == "mist-checkpoint":
            thread.join(timeout=10)
            assert not thread.is_alive()


def test_records_handed_over_before_close_are_written(tmp_path, log):
    """Also those that nobody waits for."""
    with checkpoint.open(tmp_path, "run") as tracker, pytest.raises(KeyboardInterrupt):
        tracker.step_sync("a", lambda: (_ for _ in ()).throw(KeyboardInterrupt).__next__())
    assert [record["status"] for record in log()] == ["running", "pending"]
