"""Cancelling a run ends it in order, and the cancellation goes on."""

import asyncio
import random

import pytest

from mist.lifecycle import drain_group, on_shutdown, run_async, shutting_down


class World:
    """What a run leaves behind, seen from outside."""

    def __init__(self, listens):
        self.listens = listens
        self.open = 0
        self.hooks = []
        self.reports = []

    async def main(self):
        """Register, work and wait."""
        on_shutdown(self.hook)
        on_shutdown(self.hook, last=True)
        group = drain_group()
        if self.listens:
            stop = shutting_down()
        for _ in range(3):
            group.spawn(self.work())
            async with group.track("block"):
                await self.work()
        if self.listens:
            await stop.wait()
        else:
            await asyncio.sleep(5)
        return "result"

    async def work(self):
        """Take a second."""
        self.open += 1
        try:
            await asyncio.sleep(1)
        finally:
            self.open -= 1

    async def hook(self):
        """Take half a second."""
        self.open += 1
        try:
            await asyncio.sleep(0.5)
            self.hooks.append("done")
        finally:
            self.open -= 1

    def run(self):
        """Run it."""
        return run_async(self.main, signals=False, on_report=self.reports.append)


@pytest.mark.parametrize("listens", [True, False])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_cancelling_at_any_moment_leaves_nothing_behind(virtually, listens, times):
    """At every await point: all that began has ended, and no task is left.

    One cancellation lets the work finish and runs every hook; more of them cancel what goes on.
    """

    async def check(seed):
        chance = random.Random(seed)
        others = asyncio.all_tasks()
        world = World(listens)
        task = asyncio.create_task(world.run())
        await asyncio.sleep(0)  # it has begun
        for _ in range(times):
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(chance.choice([0, 0, 0.25, 0.5, 1]))
            task.cancel()
            if task.done():
                break
        cancelling = task.cancelling()
        await asyncio.wait({task})
        assert task.cancelled() is (cancelling > 0)
        assert world.open == 0
        assert asyncio.all_tasks() == others
        if len(world.reports) == 1:
            (report,) = world.reports
            # Those that were cut short are not failures.
            assert [e for e in report.errors if not isinstance(e, TimeoutError)] == []
            assert len(report.hooks) == 2 or not world.hooks
            if times == 1:
                assert world.hooks == ["done", "done"]

    for seed in range(60):
        virtually(check(seed))


def test_an_enclosing_timeout_fires(virtually):
    """After the shutdown it began; counts are as they were."""

    async def check():
        world = World(listens=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4):
                await world.run()
        assert asyncio.current_task().cancelling() == 0
        assert world.hooks == ["done", "done"]
        assert world.reports[0].reason == "cancelled"

    virtually(check())


def test_a_cancelled_run_lets_work_finish_first(virtually):
    """The first cancellation is what a signal is elsewhere."""
    log = []

    async def work():
        await asyncio.sleep(3)
        log.append("work")

    async def main():
        drain_group().spawn(work())
        on_shutdown(hook)
        await asyncio.sleep(1000)

    async def hook():
        log.append("hook")

    async def check():
        task = asyncio.create_task(run_async(main, signals=False))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert asyncio.get_running_loop().time() == 3

    virtually(check())
    assert log == ["work", "hook"]


def test_a_second_cancellation_ends_it_at_once(virtually):
    """What goes on is cancelled; hooks that have not begun are skipped, and reported so."""
    reports = []

    async def main():
        drain_group().spawn(asyncio.sleep(1000), name="job")
        on_shutdown(lambda: None)
        await asyncio.sleep(1000)

    async def check():
        task = asyncio.create_task(run_async(main, signals=False, on_report=reports.append))
        for _ in range(2):
            await asyncio.sleep(1)
            task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert asyncio.get_running_loop().time() == 2

    virtually(check())
    assert [each.problem for each in reports[0].hooks] == ["skipped"]


def test_errors_under_a_cancellation_are_logged(virtually, caplog):
    """The cancellation goes on; what else went wrong is not lost."""

    async def main():
        on_shutdown(fail)
        await asyncio.sleep(1000)

    async def fail():
        raise OSError("disk")

    async def check():
        task = asyncio.create_task(run_async(main, signals=False))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    virtually(check())
    assert "OSError: disk" in caplog.text


async def test_cancelling_before_the_first_step_runs_nothing():
    """A task that never began has nothing to end."""
    world = World(listens=False)
    task = asyncio.create_task(world.run())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (world.reports, world.hooks) == ([], [])
