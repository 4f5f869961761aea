"""No wait goes past a deadline: the option `within`, or an `asyncio.timeout` around it."""

import asyncio
import contextlib
import sys
from types import SimpleNamespace

import pytest

from mist.retry import Budget, Policy, do
from mist.retry.deadline import enclosing_deadline

SLOW = Policy(5, initial_wait=3, max_wait=3, jitter=0)


@contextlib.contextmanager
def lasting(seconds):
    """Expect the block to take that many seconds of the loop's time."""
    started = asyncio.get_running_loop().time()
    yield
    assert asyncio.get_running_loop().time() - started == pytest.approx(seconds)


def test_a_wait_past_the_enclosing_timeout_is_not_begun(virtually, flaky, note):
    """The error comes out at once, not a TimeoutError later, and says what was in the way."""

    async def main():
        fn = flaky(ConnectionError("down"), ConnectionError("still down"))
        with lasting(3), pytest.raises(ConnectionError, match="still down") as caught:
            async with asyncio.timeout(5):
                await do(SLOW, fn.awaited)
        assert fn.calls == 2
        assert note(caught.value).splitlines()[0] == (
            "retry: gave up after 2 attempts in 3 s: the next attempt would begin in 3 s,"
            " and the asyncio.timeout around it is over in 2 s"
        )

    virtually(main())


def test_waits_that_fit_are_waited(virtually, flaky):
    """A timeout far enough away changes nothing."""

    async def main():
        with lasting(6):
            async with asyncio.timeout(6.5):
                return await do(SLOW, flaky(ConnectionError(), ConnectionError()).awaited)

    assert virtually(main()) == "done"


def test_the_first_of_several_timeouts_counts(virtually, flaky, note):
    """Whichever of them is the inner one, the one that ends first is the deadline."""

    async def main(outer, inner):
        with lasting(0), pytest.raises(ConnectionError) as caught:
            async with asyncio.timeout(outer), asyncio.timeout(None), asyncio.timeout(inner):
                await do(SLOW, flaky(ConnectionError()).awaited)
        assert "is over in 1 s" in note(caught.value)

    virtually(main(1, 2))
    virtually(main(2, 1))


def test_a_rescheduled_timeout_counts_as_it_is_now(virtually, flaky):
    """What was the deadline once does not matter."""

    async def main():
        async with asyncio.timeout(1) as timeout:
            timeout.reschedule(asyncio.get_running_loop().time() + 10)
            assert await do(SLOW, flaky(ConnectionError()).awaited) == "done"
        await shortened()

    async def shortened():
        async with asyncio.timeout(100) as timeout:
            timeout.reschedule(asyncio.get_running_loop().time() + 1)
            with pytest.raises(ConnectionError):
                await do(SLOW, flaky(ConnectionError()).awaited)

    virtually(main())


def test_a_timeout_that_is_left_counts_no_longer(virtually):
    """A timeout inside an attempt is over when the attempt is."""

    async def attempt():
        async with asyncio.timeout(0.5):
            await asyncio.sleep(1)

    async def main():
        with lasting(3 * 0.5 + 2 * 3), pytest.raises(TimeoutError):
            await do(SLOW.replace(max_attempts=3), attempt)

    virtually(main())


def test_timeouts_of_other_tasks_do_not_count(virtually, flaky):
    """What limits a neighbour limits nobody else."""

    async def neighbour():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(50)

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(neighbour())
            await asyncio.sleep(0.5)
            return await do(SLOW, flaky(ConnectionError()).awaited)

    assert virtually(main()) == "done"


def test_a_parents_timeout_ends_the_wait(virtually, flaky):
    """Where the timeout cannot be seen, the wait is still no longer than it allows."""

    async def main():
        with lasting(1), pytest.raises(TimeoutError):
            async with asyncio.timeout(1), asyncio.TaskGroup() as group:
                task = group.create_task(do(SLOW, flaky(ConnectionError("down")).awaited))
        assert task.cancelled()

    virtually(main())


def test_a_wait_that_is_cancelled_tells_what_had_failed(virtually, flaky, note):
    """A timeout that nobody saw coming leads to the failures by its cause."""

    async def main():
        timeout = asyncio.timeout(None)
        # A timer of another kind than the timeout's own, so that it is out of sight.
        asyncio.get_running_loop().call_at(1, lambda: timeout.reschedule(0))
        with pytest.raises(TimeoutError) as caught:
            async with timeout:
                await do(SLOW, flaky(ConnectionError("down")).awaited)
        assert asyncio.current_task().cancelling() == 0
        cancelled = caught.value.__cause__
        assert isinstance(cancelled, asyncio.CancelledError)
        assert note(cancelled).splitlines() == [
            "retry: interrupted while waiting 3 s for attempt 2",
            "  attempt 1: ConnectionError: down; wait 3 s",
        ]
        assert isinstance(cancelled.__context__, ConnectionError)

    virtually(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="wait_for uses another task before 3.12")
def test_wait_for_is_a_timeout_too(virtually, flaky):
    """`asyncio.wait_for` counts as the timeout it is made of."""

    async def main():
        with lasting(0), pytest.raises(ConnectionError):
            await asyncio.wait_for(do(SLOW, flaky(ConnectionError()).awaited), 1)

    virtually(main())


def test_the_wish_of_the_error_counts(virtually, flaky):
    """A `retry_after` past the timeout ends retrying, though the policy's wait would fit."""

    async def main():
        error = ConnectionError()
        error.retry_after = 4.0
        with lasting(0), pytest.raises(ConnectionError):
            async with asyncio.timeout(3.5):
                await do(SLOW.replace(max_wait=5), flaky(error).awaited)

    virtually(main())


def test_no_budget_is_spent_on_what_comes_too_late(virtually, flaky):
    """The deadline is looked at before the budget pays."""

    async def main():
        budget = Budget()
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(1):
                await do(SLOW, flaky(ConnectionError()).awaited, budget=budget)
        assert budget.granted == 0

    virtually(main())


def test_ten_thousand_timers_neither_hide_the_timeout_nor_let_it_pass(virtually, flaky):
    """Later timers cost nothing; with very many earlier ones the timeout ends the wait itself."""

    async def main():
        loop = asyncio.get_running_loop()
        later = [loop.call_later(100 + n, int) for n in range(10_000)]
        with lasting(0), pytest.raises(ConnectionError):
            async with asyncio.timeout(1):
                await do(SLOW, flaky(ConnectionError()).awaited)
        earlier = [loop.call_later(0.5, int) for n in range(10_000)]
        with lasting(1), pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await do(SLOW, flaky(ConnectionError()).awaited)
        for timer in later + earlier:
            timer.cancel()

    virtually(main())


def test_a_loop_that_hides_its_timers_has_no_deadline_to_see():
    """As with uvloop, nothing is found and nothing breaks."""
    task = SimpleNamespace(get_loop=object)
    assert enclosing_deadline(task, 100.0) is None


def test_within_limits_when_the_last_attempt_begins(virtually, flaky, note):
    """An attempt that would begin after that many seconds is not made."""

    async def main():
        fn = flaky(*(ConnectionError() for _ in range(9)))
        with lasting(3), pytest.raises(ConnectionError) as caught:
            await do(SLOW, fn.awaited, within=5)
        assert fn.calls == 2
        assert "begin in 3 s, and the 5 s it has (`within`) are over in 2 s" in note(caught.value)

    virtually(main())


def test_within_counts_what_attempts_take(virtually):
    """Time spent in attempts counts; a running attempt is not interrupted."""

    async def main():
        async def slow():
            await asyncio.sleep(4)
            raise ConnectionError

        with lasting(4), pytest.raises(ConnectionError):
            await do(SLOW, slow, within=3.9)

    virtually(main())


def test_within_holds_for_both_forms(persist, flaky):
    """Nothing left means no further attempt, in the sync form too."""
    fn = flaky(ConnectionError())
    with pytest.raises(ConnectionError):
        persist(Policy(), fn, within=0)
    assert fn.calls == 1


def test_the_sync_form_does_not_sleep_past_within(flaky):
    """An hour's wait is not begun where a second is left."""
    from mist.retry import do_sync

    with pytest.raises(ConnectionError):
        do_sync(Policy(2, 3600, 3600), flaky(ConnectionError()), within=1)
