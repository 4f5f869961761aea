"""The hook that is told of each attempt."""

import asyncio
import functools
import logging

import pytest

from mist.retry import Budget, Policy, do


def test_it_is_told_of_each_attempt(virtually, flaky):
    """Number, error, wait and elapsed time, and of the last one that there is no wait."""
    told = []
    error = ConnectionError("down")
    virtually(do(Policy(jitter=0), flaky(error).awaited, on_attempt=told.append))
    first, second = told
    assert (first.number, first.error, first.wait, first.elapsed) == (1, error, 0.1, 0)
    assert first.verdict is None
    assert (second.number, second.error, second.wait) == (2, None, None)
    assert second.elapsed == pytest.approx(0.1)
    assert second.verdict is None


def test_it_is_told_why_there_is_no_further_attempt(persist, flaky):
    """The verdict is the one of the note."""
    told = []
    with pytest.raises(ConnectionError):
        persist(Policy(1), flaky(ConnectionError()), on_attempt=told.append)
    (attempt,) = told
    assert attempt.verdict == "no attempt is left"
    assert repr(attempt).startswith("Attempt(number=1, error=ConnectionError(), wait=None, elapsed")


def test_it_is_told_before_the_wait(virtually, flaky):
    """A hook that logs does so while it matters."""
    times = []

    async def main():
        def hook(_):
            times.append(asyncio.get_running_loop().time())

        await do(Policy(2, 1, jitter=0), flaky(OSError()).awaited, on_attempt=hook)

    virtually(main())
    assert times == [0, 1]


def test_a_hook_that_raises_changes_nothing_and_is_reported_once(persist, flaky, caplog):
    """The outcome is that of the attempts, and the log has one warning with the traceback."""

    class Broken:
        def __call__(self, _):
            """Fail."""
            raise RuntimeError("hook bug")

    # Each parameter's own class, so that each has its own first time.
    hook = type(f"Broken{persist.__name__}", (Broken,), {})()
    budget = Budget(refill_rate=0)
    fn = flaky(OSError(), OSError())
    with caplog.at_level(logging.WARNING, logger="mist.retry"):
        assert persist(Policy(), fn, on_attempt=hook, budget=budget) == "done"
        with pytest.raises(ConnectionError):
            persist(Policy(1), flaky(ConnectionError()), on_attempt=hook)
    (record,) = caplog.records
    assert record.name == "mist.retry"
    assert "hook bug" in record.exc_text
    assert fn.calls == 3
    assert budget.granted == 2


def test_any_callable_is_a_hook(persist, flaky):
    """A partial has no name of its own, and is called and reported all the same."""
    told = []

    def hook(prefix, attempt):
        told.append((prefix, attempt.number))
        raise RuntimeError

    assert persist(Policy(), flaky(), on_attempt=functools.partial(hook, "op")) == "done"
    assert told == [("op", 1)]


def test_what_ends_the_program_passes_through_a_hook(persist, flaky):
    """A KeyboardInterrupt that arrives while a hook runs is not taken for the hook's fault."""

    def hook(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        persist(Policy(), flaky(), on_attempt=hook)
