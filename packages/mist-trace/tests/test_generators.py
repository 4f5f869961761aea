"""Spans that are open across a `yield`."""

import asyncio
import contextlib
import gc
import threading
import types
import weakref
from contextlib import asynccontextmanager, contextmanager

import pytest

from mist.trace import current, start
from mist.trace.span import innermost


def counting(log, steps=3):
    """Yield inside a span, and note what is current whenever it is at work."""
    with start("generator") as span:
        for number in range(steps):
            log.append(current() is span)
            yield span if number == 0 else number
            log.append(current() is span)


async def counting_async(log, steps=3):
    """Do the same, with an await before and after each yield."""
    with start("generator") as span:
        for number in range(steps):
            await asyncio.sleep(0)
            log.append(current() is span)
            yield span if number == 0 else number
            await asyncio.sleep(0)
            log.append(current() is span)


def test_a_span_does_not_leak_into_the_consumer():
    """While a generator is suspended, its consumer's own span is current."""
    log = []
    with start("consumer") as consumer:
        for item in counting(log):
            assert current() is consumer
            with start("step") as step:
                assert step.parent_id == consumer.span_id
            assert current() is consumer
            if not isinstance(item, int):
                assert item.parent_id == consumer.span_id
        assert current() is consumer
    assert log == [True] * 6


async def test_a_span_does_not_leak_into_an_async_consumer():
    """The same holds for async generators and what their consumer awaits."""
    log = []
    with start("consumer") as consumer:
        async for _ in counting_async(log):
            assert current() is consumer
            await asyncio.sleep(0)
            assert current() is consumer
            assert await asyncio.to_thread(current) is consumer
        assert current() is consumer
    assert log == [True] * 6


def test_nested_spans_of_one_generator_are_skipped_together():
    """A consumer sees none of several spans that a generator has open."""

    def generator():
        with start("a") as a, start("b") as b:
            assert b.parent_id == a.span_id
            yield
            assert current() is b

    with start("consumer") as consumer:
        for _ in generator():
            assert current() is consumer


def test_a_generator_within_a_generator():
    """Each of nested generators is the consumer of the next."""

    def inner():
        with start("inner"):
            yield current()

    def outer():
        with start("outer") as span:
            for item in inner():
                assert item.parent_id == span.span_id
                assert current() is span
                yield item
            yield from inner()

    with start("consumer") as consumer:
        for _ in outer():
            assert current() is consumer


def test_send_and_throw_reach_the_generator_inside_its_span():
    """A generator that is sent to, or thrown at, is at work in its span."""

    def generator():
        with start("generator") as span:
            assert (yield span) == "sent"
            assert current() is span
            try:
                yield
            except KeyError:
                assert current() is span
                yield "handled"

    steps = generator()
    next(steps)
    steps.send("sent")
    assert steps.throw(KeyError("x")) == "handled"
    assert current() is None
    steps.close()


def test_an_exception_from_a_generator_is_recorded():
    """A generator that fails ends its span with the error, in its consumer's context."""

    def generator():
        with start("generator") as span:
            yield span
            raise ValueError("broken")

    steps = generator()
    span = next(steps)
    with start("consumer") as consumer:
        with pytest.raises(ValueError, match="broken"):
            next(steps)
        assert current() is consumer
    assert (span.status, span.attrs()["error"]) == ("error", "broken")


def test_a_dropped_generator_is_closed_at_once():
    """Nothing that a span holds keeps a generator, or its locals, from being finalised."""

    class Thing:
        pass

    def generator():
        thing = Thing()
        alive.append(weakref.ref(thing))
        with start("generator") as span:
            yield span
            del thing

    alive = []
    gc.disable()
    try:
        steps = generator()
        span = next(steps)
        assert alive[0]() is not None
        del steps
        assert span.status == "ok"
        assert alive[0]() is None
        assert span._frame is None
    finally:
        gc.enable()


def test_a_generator_can_be_closed_in_another_thread():
    """A generator closed elsewhere ends its span, and is gone from where it was entered."""
    steps = counting([])
    with start("consumer") as consumer:
        span = next(steps)
        closer = threading.Thread(target=steps.close)
        closer.start()
        closer.join()
        assert span.status == "ok"
        assert current() is consumer
        with start("after") as after:
            assert after.parent_id == consumer.span_id
    assert current() is None


def test_a_generator_in_a_cycle_is_closed_by_the_garbage_collector():
    """A generator that only the collector finds is closed in whatever context that runs."""

    def generator():
        with start("generator") as span:
            yield span

    holder = {}
    steps = generator()
    span = next(steps)
    holder["self"], holder["steps"] = holder, steps
    del steps, holder
    with start("elsewhere") as elsewhere:
        gc.collect()
        assert span.status == "ok"
        assert current() is elsewhere


async def test_an_async_generator_can_be_closed_in_another_task(caplog):
    """An async generator left by `break` is closed by the loop, in another context."""
    with start("consumer") as consumer:
        async for item in counting_async([]):
            span = item
            break
        assert current() is consumer
        for _ in range(10):
            await asyncio.sleep(0)
        assert span.status == "ok"
        assert current() is consumer
    assert not caplog.records


async def test_an_async_generator_can_be_advanced_from_several_tasks():
    """Its span ends well, and leaks into no task, when each step runs in a task of its own."""
    steps = counting_async([], steps=2)
    span = await asyncio.create_task(anext(steps))
    assert current() is None
    await asyncio.create_task(anext(steps))
    await asyncio.create_task(steps.aclose())
    assert span.status == "ok"
    assert current() is None


async def test_a_task_spawned_in_an_async_generator_is_inside_its_span():
    """While a generator awaits, its span is current in tasks that it started."""

    async def child():
        await asyncio.sleep(0)
        with start("child") as span:
            return span

    async def generator():
        with start("generator") as span:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(child())
            assert task.result().parent_id == span.span_id
            yield await asyncio.create_task(child())

    with start("consumer"):
        async for span in generator():
            assert span.parent_id != current().span_id


async def test_a_task_spawned_by_the_consumer_is_outside():
    """What the loop's body starts, and waits for, is a child of the consumer's span."""

    async def child():
        with start("child") as span:
            return span

    with start("consumer") as consumer:
        async for _ in counting_async([]):
            span = await asyncio.create_task(child())
            assert span.parent_id == consumer.span_id


async def test_a_task_that_outlives_a_generator_belongs_to_what_encloses_it():
    """After the generator has ended, its span is skipped, also where it was inherited."""
    gone = asyncio.Event()

    async def child():
        await gone.wait()
        return current()

    async def generator():
        with start("generator"):
            yield asyncio.create_task(child())

    with start("consumer") as consumer:
        async for task in generator():
            later = task
        gone.set()
        assert await later is consumer


def test_open_generators_in_a_row_leave_no_chain():
    """However many generators overlap in one context, ended ones are not held."""

    def generator():
        with start("generator") as span:
            yield span

    def close_elsewhere(steps):
        closer = threading.Thread(target=steps.close)
        closer.start()
        closer.join()

    window = []
    for _ in range(50):
        steps = generator()
        next(steps)
        window.append(steps)
        if len(window) > 3:
            close_elsewhere(window.pop(0))
    length, link = 0, innermost.get()
    while link is not None:
        length, link = length + 1, link._enclosing
    assert length <= 5
    for steps in reversed(window):
        steps.close()


def test_generators_closed_first_in_first_out():
    """Generators of one context may end in the order in which they began."""

    def generator():
        with start("generator") as span:
            yield span

    with start("consumer") as consumer:
        first, second = generator(), generator()
        a, b = next(first), next(second)
        assert a.parent_id == b.parent_id == consumer.span_id
        first.close()
        second.close()
        assert current() is consumer
        assert innermost.get() is consumer


@contextmanager
def managed(**attrs):
    """Open a span for the block."""
    with start("managed", **attrs) as span:
        yield span


@asynccontextmanager
async def managed_async():
    """Open a span for the block."""
    with start("managed") as span:
        await asyncio.sleep(0)
        yield span


def test_a_context_manager_made_of_a_generator_holds_its_span_open():
    """Inside the block of a `contextmanager` function, the span it opened is current."""
    with start("outer") as outer, managed() as span:
        assert span.parent_id == outer.span_id
        assert current() is span
        with managed() as inner:
            assert inner.parent_id == span.span_id
        assert current() is span
    assert current() is None


async def test_an_async_context_manager_holds_its_span_open():
    """Inside the block of an `asynccontextmanager` function, the span it opened is current."""
    async with managed_async() as span:
        await asyncio.sleep(0)
        assert current() is span
        assert await asyncio.to_thread(current) is span
    assert current() is None
    async with contextlib.AsyncExitStack() as stack:
        span = await stack.enter_async_context(managed_async())
        assert current() is span


@pytest.mark.parametrize("how", ["with", "stack", "stack of managers", "managed stack"])
def test_a_context_manager_within_a_generator_belongs_to_the_generator(how):
    """However a generator opens a span, its consumer does not see it."""

    def generator():
        with contextlib.ExitStack() as stack:
            if how == "stack":
                span = stack.enter_context(start("op"))
            else:
                span = stack.enter_context(managed())
            yield span
            assert current() is span

    def plainly():
        with managed() as span:
            yield span
            assert current() is span

    def doubly():
        with twice() as span:
            yield span
            assert current() is span

    @contextmanager
    def twice():
        with managed() as span:
            yield span

    chosen = {"with": plainly, "managed stack": doubly}.get(how, generator)
    with start("consumer") as consumer:
        for span in chosen():
            assert span.parent_id == consumer.span_id
            assert current() is consumer


async def test_an_async_context_manager_within_an_async_generator():
    """The same for async ones."""

    async def generator():
        async with managed_async() as span:
            yield span
            assert current() is span

    with start("consumer") as consumer:
        async for _ in generator():
            assert current() is consumer


@pytest.fixture
def opened():
    """Open a span for a test."""
    with start("fixture") as span:
        yield span


def test_a_fixture_holds_its_span_open_for_the_test(opened):
    """A span that a fixture opens around its `yield` is current in the test."""
    assert current() is opened


async def test_a_generator_based_coroutine_awaits_when_it_yields():
    """A span in a `types.coroutine` stays current for its tasks while that waits."""

    async def child():
        return current()

    @types.coroutine
    def old_style():
        with start("old") as span:
            task = asyncio.ensure_future(child())
            yield from asyncio.sleep(0)
            yield from asyncio.sleep(0)
            assert task.result() is span
            return current() is span

    assert await old_style()
