"""Cancellation at any point: passed on, counted as nothing, with everything in order after it."""

import asyncio
import contextlib
import random

import pytest

from mist.retry import Budget, Policy, do, do_auto, do_with_classifier, retrying

SEEDS = range(150)
POLICY = Policy(4, 0.1, 1.0, 2.0, 0.25)
LONGEST = 4 * 0.1 + (0.1 + 0.2 + 0.4) * 1.25  # seconds that a failing operation may take


class Operation:
    """Fails after 0.1 s an attempt, in two steps, and counts from outside what happens."""

    def __init__(self, form):
        self.budget = Budget(100, refill_rate=0, refund=0)
        self.told = []
        self.begun = self.failed = 0
        self.form = form

    async def attempt(self):
        """Make one attempt."""
        self.begun += 1
        await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
        self.failed += 1
        raise ConnectionError(f"attempt {self.begun}")

    async def run(self):
        """Retry it in the form that is tested."""
        options = {"budget": self.budget, "on_attempt": self.told.append}
        if self.form == "do":
            await do(POLICY, self.attempt, **options)
        elif self.form == "do_auto":
            await do_auto(POLICY, self.attempt, **options)
        elif self.form == "do_with_classifier":
            await do_with_classifier(POLICY, lambda _: True, self.attempt, **options)
        elif self.form == "retrying":
            await retrying(POLICY, **options)(self.attempt)()
        else:

            @retrying(POLICY, **options)
            async def items():
                await self.attempt()
                yield

            async for _ in items():
                pass

    def check(self):
        """Hold what the package says against what was counted outside of it."""
        assert len(self.told) == self.failed, "a cancelled attempt is told as a failure"
        assert all(isinstance(told.error, ConnectionError) for told in self.told)
        retries = max(0, self.begun - 1)
        assert self.budget.granted == retries, "a retry that was not made is paid for"
        assert self.budget.available == 100 - retries


FORMS = pytest.mark.parametrize(
    "form", ["do", "do_auto", "do_with_classifier", "retrying", "generator"]
)


@FORMS
def test_cancelled_at_any_moment(virtually, form):
    """The task ends cancelled, and attempts, budget and hook agree with each other."""

    async def main(seed):
        operation = Operation(form)
        task = asyncio.create_task(operation.run())
        await asyncio.sleep(random.Random(seed).uniform(0, LONGEST))
        if not task.done():
            assert task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()
        else:
            assert isinstance(task.exception(), ConnectionError)
            assert operation.begun == 4
        operation.check()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    for seed in SEEDS:
        virtually(main(seed))


@FORMS
def test_timed_out_at_any_moment(virtually, form):
    """An `asyncio.timeout` around it fires or is made way for, and leaves no request behind."""
    outcomes = set()

    async def main(seed):
        operation = Operation(form)
        seconds = random.Random(seed).uniform(0, LONGEST)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                await operation.run()
        except TimeoutError:
            outcomes.add("timeout")
            assert loop.time() == pytest.approx(seconds)
        except ConnectionError:
            outcomes.add("early" if operation.begun < 4 else "end")
            assert loop.time() <= seconds
        operation.check()
        assert asyncio.current_task().cancelling() == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    for seed in SEEDS:
        virtually(main(seed))
    # In an attempt the timeout fires; it is never waited for.
    assert outcomes >= {"timeout", "early"}


def test_a_cancelled_wait_is_told_on_the_cancellation(virtually, note):
    """Who looks at the CancelledError finds what had failed until then."""

    async def main():
        operation = Operation("do")
        task = asyncio.create_task(operation.run())
        await asyncio.sleep(0.12)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert "while waiting " in note(caught.value)
        assert "attempt 1: ConnectionError: attempt 1; wait " in note(caught.value)

    virtually(main())


@pytest.mark.parametrize("how", ["except", "finally", "from"])
def test_a_cancellation_that_turned_into_an_error_is_not_retried(virtually, note, how):
    """An attempt that fails while it cleans up after its cancellation is the last one."""
    attempts = 0

    async def attempt():
        nonlocal attempts
        attempts += 1
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as cancelled:
            if how == "from":
                raise ConnectionError("cleanup") from cancelled
            if how == "except":
                raise ConnectionError("cleanup") from None
            raise
        finally:
            if how == "finally":
                raise ConnectionError("cleanup")

    async def main():
        task = asyncio.create_task(do(POLICY, attempt))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(ConnectionError, match="cleanup") as caught:
            await task
        assert note(caught.value).endswith(": cancelled")

    virtually(main())
    assert attempts == 1


def test_a_cancelled_child_is_not_this_tasks_cancellation(virtually):
    """An attempt that makes an error of another task's cancellation has failed, no more."""
    attempts = 0

    async def attempt():
        nonlocal attempts
        attempts += 1
        child = asyncio.create_task(asyncio.sleep(10))
        child.cancel()
        try:
            await child
        except asyncio.CancelledError:
            raise ConnectionError("the child is gone") from None

    with pytest.raises(ConnectionError):
        virtually(do(POLICY, attempt))
    assert attempts == 4


def test_cleaning_up_after_a_cancellation_can_retry(virtually, flaky):
    """In a task that is cancelled already, a retry works as anywhere."""

    async def work(results):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            results.append(await do(POLICY, flaky(ConnectionError(), ConnectionError()).awaited))
            raise

    async def main():
        results = []
        task = asyncio.create_task(work(results))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return results

    assert virtually(main()) == ["done"]


def test_a_task_group_that_fails_in_an_attempt_is_retried(virtually):
    """Before Python 3.13 a TaskGroup leaves a request for cancellation behind; it is none."""
    attempts = 0

    async def fail():
        raise ConnectionError

    async def attempt():
        nonlocal attempts
        attempts += 1
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        virtually(do(POLICY, attempt))
    assert attempts == 4


def test_a_hundred_cancelled_at_once_leave_the_shared_budget_whole(virtually):
    """Whatever was being waited for is paid back, and what was made stays paid."""

    async def main():
        operation = Operation("do")
        tasks = [asyncio.create_task(operation.run()) for _ in range(100)]
        await asyncio.sleep(0.15)
        assert operation.budget.granted == 100
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() for task in tasks)
        assert operation.budget.granted == operation.begun - 100 == 0
        assert operation.budget.available == 100

    virtually(main())


def test_interrupted_sync_waits_are_paid_back(monkeypatch, flaky, note):
    """A KeyboardInterrupt in a sync wait passes through, and the retry is not paid for."""
    import time

    def interrupt(_):
        raise KeyboardInterrupt

    from mist.retry import do_sync

    monkeypatch.setattr(time, "sleep", interrupt)
    budget = Budget()
    with pytest.raises(KeyboardInterrupt) as caught:
        do_sync(POLICY, flaky(ConnectionError("down")), budget=budget)
    assert budget.granted == 0
    assert "attempt 1: ConnectionError: down" in note(caught.value)


def test_a_generator_closed_while_it_begins_again(virtually):
    """Cancelling the consumer during the wait for a first item ends the generator."""
    ended = []

    @retrying(POLICY)
    async def items():
        try:
            raise ConnectionError
            yield
        finally:
            ended.append(True)

    async def main():
        async def consume():
            async with contextlib.aclosing(items()) as generator:
                async for _ in generator:
                    pass

        task = asyncio.create_task(consume())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    virtually(main())
    assert ended == [True]
