"""A retry inside another one's attempt leaves the retrying to it."""

import asyncio
import contextvars
import threading

import pytest

from mist.retry import Policy, do, do_auto, do_sync, retrying, without_waiting

THREE = Policy(3, jitter=0)


class Down:
    """Counts the attempts that reach it; all of them fail."""

    def __init__(self):
        self.attempts = 0

    def __call__(self):
        """Fail."""
        self.attempts += 1
        raise ConnectionError(f"attempt {self.attempts}")

    async def awaited(self):
        """Fail."""
        self()


def test_three_times_three_is_three(virtually):
    """Stacked retries do not multiply, and the error says which of them retried."""
    down = Down()
    with pytest.raises(ConnectionError, match="attempt 3") as caught:
        virtually(do(THREE, lambda: do(THREE, lambda: do_auto(THREE, down.awaited))))
    assert down.attempts == 3
    inner, outer = caught.value.__notes__
    assert inner.startswith("inner retry: gave up after 1 attempt in 0 s: left to the retry around")
    assert inner.endswith('(nested="retry" retries here as well)')
    assert outer.startswith("retry: gave up after 3 attempts in 0.3 s: no attempt is left")


def test_the_sync_forms_nest_alike():
    """Three times three is three without an event loop as well."""
    down = Down()
    inner = retrying(THREE)(down)
    with without_waiting(), pytest.raises(ConnectionError):
        do_sync(THREE, inner)
    assert down.attempts == 3


def test_a_sync_retry_in_a_worker_thread_is_nested():
    """`asyncio.to_thread` takes the context along, and with it the knowledge of the outer retry."""
    down = Down()

    async def main():
        with without_waiting(), pytest.raises(ConnectionError):
            await do(THREE, lambda: asyncio.to_thread(do_sync, THREE, down))

    asyncio.run(main())
    assert down.attempts == 3


def test_multiplying_is_possible_where_it_is_meant(virtually):
    """`nested="retry"` retries inside and outside."""
    down = Down()
    with pytest.raises(ConnectionError, match="attempt 9") as caught:
        virtually(do(THREE, lambda: do(THREE, down.awaited, nested="retry")))
    assert down.attempts == 9
    assert [note.split(" in ")[0] for note in caught.value.__notes__] == [
        "inner retry: gave up after 3 attempts",
        "retry: gave up after 3 attempts",
    ]


def test_an_inner_success_is_a_success(virtually, flaky):
    """What the inner one left to the outer one is retried by it as a whole."""
    fn = flaky(ConnectionError(), ConnectionError())
    assert virtually(do(THREE, lambda: do(THREE, fn.awaited))) == "done"
    assert fn.calls == 3


def test_an_outer_one_that_never_retries_leaves_the_inner_one_alone(virtually):
    """A policy of one attempt is no retry to yield to."""
    down = Down()
    with pytest.raises(ConnectionError):
        virtually(do(Policy(1), lambda: do(THREE, down.awaited)))
    assert down.attempts == 3


def test_one_after_the_other_is_not_nested(virtually):
    """A retry that is over, failed or not, or that waits, is around nothing."""
    down = Down()

    async def main():
        await do(THREE, lambda: asyncio.sleep(0))
        with pytest.raises(ConnectionError):
            await do(THREE, down.awaited)
        with pytest.raises(ConnectionError):
            await do(THREE, down.awaited)

    virtually(main())
    assert down.attempts == 6


def test_tasks_of_an_attempt_are_nested(virtually):
    """Children that an attempt waits for would multiply as well, so they yield too."""
    downs = [Down(), Down()]

    async def attempt():
        async with asyncio.TaskGroup() as group:
            for down in downs:
                group.create_task(do(THREE, down.awaited))

    async def main():
        with pytest.raises(ExceptionGroup):
            await do(THREE, attempt)

    virtually(main())
    assert [down.attempts for down in downs] == [3, 3]


def test_a_task_that_outlives_the_attempt_retries_by_itself(virtually):
    """Nobody would retry what goes on in the background after the operation has succeeded."""
    down = Down()

    async def background():
        await asyncio.sleep(1)
        await do(THREE, down.awaited)

    async def main():
        async def start():
            return asyncio.create_task(background())

        task = await do(THREE, start)
        with pytest.raises(ConnectionError):
            await task

    virtually(main())
    assert down.attempts == 3


def test_a_retry_that_has_begun_to_retry_goes_on(virtually):
    """One that found nobody around it at its first failure does not yield half-way."""
    down = Down()
    tasks = []

    async def background():
        await asyncio.sleep(0.05)
        await do(THREE, down.awaited)

    async def attempt():
        if not tasks:
            tasks.append(asyncio.create_task(background()))
            raise ConnectionError
        await asyncio.sleep(10)

    async def main():
        await do(THREE, attempt)
        with pytest.raises(ConnectionError):
            await tasks[0]

    virtually(main())
    assert down.attempts == 3


def test_a_plain_thread_is_not_nested():
    """A thread of its own inherits nothing, and retries by itself."""
    down = Down()

    def attempt():
        def work():
            with pytest.raises(ConnectionError):
                do_sync(THREE, down)

        # An empty context of its own: some builds of Python have threads inherit theirs.
        thread = threading.Thread(target=contextvars.Context().run, args=(work,))
        thread.start()
        thread.join()

    with without_waiting():
        do_sync(THREE, attempt)
    assert down.attempts == 3


def test_a_coroutine_closed_elsewhere_ends_quietly(virtually):
    """One that is thrown away unfinished, outside of its context, complains of nothing."""
    operation = do(THREE, lambda: asyncio.sleep(10))

    async def main():
        asyncio.get_running_loop().call_soon(operation.send, None)
        await asyncio.sleep(0)
        operation.close()
        down = Down()
        with pytest.raises(ConnectionError):
            await do(THREE, down.awaited)
        assert down.attempts == 3

    virtually(main())
