"""Which span is current: in tasks, threads and executors."""

import asyncio
import concurrent.futures
import inspect
import threading
from contextvars import Context, copy_context

import pytest

from mist.trace import carry, current, start


async def test_a_task_inherits_its_parent():
    """A task's spans are children of the span that was current where it was created."""

    async def work():
        with start("in task") as span:
            await asyncio.sleep(0)
            assert current() is span
        return span

    with start("parent") as parent:
        task = asyncio.create_task(work())
    span = await task
    assert (span.trace_id, span.parent_id) == (parent.trace_id, parent.span_id)


async def test_a_task_that_outlives_its_parent_stays_in_the_trace():
    """What goes on after its parent has ended is still its child."""
    gone = asyncio.Event()

    async def work():
        await gone.wait()
        with start("first") as first:
            pass
        with start("second") as second:
            pass
        return first, second

    with start("parent") as parent:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    gone.set()
    assert [span.parent_id for span in await task] == [parent.span_id] * 2


async def test_concurrent_tasks_do_not_mix():
    """Each of many tasks that take turns sees its own span only."""

    async def work(number):
        with start(f"outer {number}") as outer:
            await asyncio.sleep(0)
            for _ in range(3):
                with start("inner") as inner:
                    await asyncio.sleep(0)
                    assert current() is inner
                    assert inner.parent_id == outer.span_id
                await asyncio.sleep(0)
                assert current() is outer
        assert current() is None

    await asyncio.gather(*map(work, range(50)))


async def test_to_thread_inherits():
    """`asyncio.to_thread` takes the current span along."""
    with start("parent") as parent:
        assert await asyncio.to_thread(current) is parent


def test_a_plain_thread_inherits_nothing():
    """A thread of its own starts its own traces, which is what `carry` is for."""
    with start("parent"), concurrent.futures.ThreadPoolExecutor() as pool:
        # Python 3.14 lets free-threaded builds inherit; an empty context is what others have.
        assert pool.submit(Context().run, current).result() is None


def test_carry_takes_the_span_to_an_executor():
    """A carried function runs under the span that was current when it was carried."""

    def work(number):
        with start("work", number=number) as span:
            return span

    with concurrent.futures.ThreadPoolExecutor(4) as pool, start("parent") as parent:
        jobs = [pool.submit(carry(work), n) for n in range(8)]
        spans = [*pool.map(carry(work), range(8)), *(job.result() for job in jobs)]
    assert {span.parent_id for span in spans} == {parent.span_id}
    assert len({span.span_id for span in spans}) == 16


def test_one_carried_function_runs_many_times_at_once():
    """Calls that overlap have each a context of their own."""
    together = threading.Barrier(8)

    def work():
        with start("work") as span:
            together.wait(10)
            assert current() is span
            together.wait(10)
        return current()

    with concurrent.futures.ThreadPoolExecutor(8) as pool, start("parent") as parent:
        carried = carry(work)
        jobs = [pool.submit(carried) for _ in range(8)]
        assert [job.result() for job in jobs] == [parent] * 8


def test_carry_keeps_the_signature():
    """A carried function looks like the function."""

    def work(a: int, *, b: str) -> float:
        """Do it."""
        return a + float(b)

    carried = carry(work)
    assert carried(1, b="2") == 3.0
    assert (carried.__name__, carried.__doc__) == ("work", "Do it.")
    assert inspect.signature(carried) == inspect.signature(work)


def test_a_span_left_in_another_context_raises_nothing():
    """A span may be ended where it was never entered, and changes nothing there."""
    span = start("op")
    copy_context().run(span.__enter__)
    with start("other") as other:
        span.__exit__(None, None, None)
        assert current() is other
    assert span.status == "ok"


@pytest.mark.parametrize("threads", [8])
def test_threads_at_full_speed_do_not_mix(threads, spans):
    """Many threads start and end nested spans at once; each trace stays whole."""

    def work(number):
        for _ in range(300):
            with start("outer", number=number) as outer, start("inner") as inner:
                assert inner.trace_id == outer.trace_id

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert len(spans) == threads * 600
    assert len({span.span_id for span in spans}) == threads * 600
    assert len({span.trace_id for span in spans}) == threads * 300
