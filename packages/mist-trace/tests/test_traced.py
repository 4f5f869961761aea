"""Functions, coroutines and generators that `traced` turns into spans."""

import asyncio
import contextvars
import gc
import inspect
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest

from mist.trace import WrongFunctionError, current, start, traced


def test_a_function_is_a_span(spans):
    """Each call is a span named for the function, inside of which it runs."""

    @traced
    def add(a, b=1):
        """Add."""
        assert current().operation == add.__qualname__
        return a + b

    with start("outer") as outer:
        assert add(1, b=2) == 3
    assert [span.parent_id for span in spans] == [outer.span_id, ""]
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert inspect.signature(add).parameters.keys() == {"a", "b"}


def test_operation_and_attributes_can_be_given(spans):
    """With arguments the decorator names the operation and sets attributes."""

    @traced("inference", model="small")
    def infer():
        current().set_attr("tokens_out", 5)

    @traced(kind="plain")
    def other():
        pass

    infer()
    infer()
    other()
    assert [span.operation for span in spans] == ["inference", "inference", other.__qualname__]
    assert [span.attrs() for span in spans] == [
        {"model": "small", "tokens_out": 5},
        {"model": "small", "tokens_out": 5},
        {"kind": "plain"},
    ]


def test_a_failure_is_recorded_and_raised(spans):
    """An exception goes through, and leaves its mark."""

    @traced
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert spans[0].status == "error"


def test_methods_can_be_traced(spans):
    """Methods of all kinds work, with `traced` below other decorators."""

    class Thing:
        @traced
        def method(self):
            return self

        @classmethod
        @traced
        def of_class(cls):
            return cls

        @staticmethod
        @traced
        def static():
            return 1

    thing = Thing()
    assert (thing.method(), Thing.of_class(), thing.static()) == (thing, Thing, 1)
    assert len(spans) == 3


@pytest.mark.parametrize("wrong", [classmethod(len), int, 3])
def test_only_functions_can_be_traced(wrong):
    """What is no function is refused at once."""
    with pytest.raises(WrongFunctionError, match="@traced goes on a function"):
        traced(wrong)


async def test_a_coroutine_is_a_span_until_it_returns():
    """The span of a coroutine covers its awaiting."""

    @traced
    async def work():
        await asyncio.sleep(0)
        return current()

    assert inspect.iscoroutinefunction(work)
    with start("outer") as outer:
        span = await asyncio.create_task(work())
    assert span.parent_id == outer.span_id
    assert span.status == "ok"


def test_a_generator_is_a_span_of_its_own(spans):
    """It lasts from the first step to the end, and is current only within."""

    @traced
    def echo(first):
        """Echo."""
        span = current()
        received = yield first
        while received is not None:
            assert current() is span
            received = yield received
        return "done"

    assert inspect.isgeneratorfunction(echo)
    with start("consumer") as consumer:
        steps = echo(0)
        assert next(steps) == 0
        assert current() is consumer
        assert steps.send(1) == 1
        assert current() is consumer
        with start("between") as between, pytest.raises(StopIteration) as stop:
            steps.send(None)
        assert between.parent_id == consumer.span_id
    assert stop.value.value == "done"
    assert (spans[0].parent_id, spans[0].status) == (consumer.span_id, "ok")


def test_a_generator_keeps_its_span_in_its_consumers_spans(spans):
    """Inside a generator its own span is current, whatever its consumer has opened since."""

    @traced
    def generator():
        span = current()
        yield
        assert current() is span
        with start("inner") as inner:
            yield
            assert current() is inner
        assert current() is span

    steps = generator()
    with start("one") as one:
        next(steps)
        assert current() is one
    with start("two") as two:
        next(steps)
        assert current() is two
    assert list(steps) == []
    inner = next(span for span in spans if span.operation == "inner")
    assert inner.parent_id == spans[-1].span_id


def test_exceptions_go_both_ways_through_a_generator(spans):
    """What is thrown in can be handled, and what comes out is recorded."""

    @traced
    def generator():
        try:
            yield 1
        except KeyError:
            yield 2
        raise ValueError("out")

    steps = generator()
    assert next(steps) == 1
    assert steps.throw(KeyError("in")) == 2
    with pytest.raises(ValueError, match="out"):
        next(steps)
    assert (spans[0].status, spans[0].attrs()["error"]) == ("error", "out")


def test_a_generator_is_closed_with_its_wrapper(spans):
    """Dropping a traced generator finalises it at once, and that is no error."""
    closed = []

    @traced
    def generator():
        try:
            yield
        finally:
            closed.append(current())

    gc.disable()
    try:
        steps = generator()
        next(steps)
        del steps
        assert len(closed) == 1
    finally:
        gc.enable()
    assert closed == spans
    assert spans[0].status == "ok"


def test_a_generator_that_refuses_to_close_is_told_so():
    """The language's own error for a generator that yields on its way out is kept."""

    @traced
    def generator():
        while True:
            try:
                yield
            except GeneratorExit:
                yield
                return

    steps = generator()
    next(steps)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        steps.close()
    list(steps)


def test_a_generator_can_move_between_threads(spans):
    """Advanced in one thread and closed in another, it has one span and leaks into none."""
    seen = []

    @traced
    def generator():
        while True:
            seen.append(current())
            yield

    steps = generator()

    def advance():
        next(steps)
        seen.append(None if current() is None else "leak")

    for _ in range(2):
        thread = threading.Thread(target=advance)
        thread.start()
        thread.join()
    contextvars.copy_context().run(steps.close)
    assert seen == [spans[0], None, spans[0], None]


async def test_an_async_generator_is_a_span_of_its_own(spans):
    """It is current within, in each of several tasks that advance it, and nowhere else."""

    @traced
    async def generator():
        span = current()
        for _ in range(3):
            await asyncio.sleep(0)
            assert current() is span
            yield span
            assert current() is span

    assert inspect.isasyncgenfunction(generator)
    with start("consumer") as consumer:
        steps = generator()
        for _ in range(3):
            await asyncio.create_task(anext(steps))
            assert current() is consumer
        with pytest.raises(StopAsyncIteration):
            await anext(steps)
        assert current() is consumer
    assert (spans[0].parent_id, spans[0].status) == (consumer.span_id, "ok")


async def test_tasks_of_the_consumer_never_see_the_generators_span():
    """What a consumer spawns is outside, also while the generator is at work again."""
    looked = []

    @traced
    async def generator():
        yield 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        yield 2

    async def look():
        looked.append(current())
        await asyncio.sleep(0)
        looked.append(current())

    with start("consumer") as consumer:
        async with asyncio.TaskGroup() as group:
            async for _ in generator():
                group.create_task(look())
    assert looked == [consumer] * 4


async def test_tasks_of_the_generator_stay_in_its_span():
    """What a generator spawns is inside, also while it is suspended at a `yield`."""
    go_on = asyncio.Event()

    async def look():
        await go_on.wait()
        return current()

    @traced
    async def generator():
        yield current(), asyncio.create_task(look())

    steps = generator()
    span, task = await anext(steps)
    go_on.set()
    assert await task is span
    await steps.aclose()


async def test_an_async_generator_takes_values_and_exceptions(spans):
    """`asend`, `athrow` and `aclose` reach the generator."""

    @traced
    async def generator():
        received = yield 0
        try:
            yield received
        except KeyError:
            yield "handled"
        finally:
            await asyncio.sleep(0)

    steps = generator()
    assert await anext(steps) == 0
    assert await steps.asend("sent") == "sent"
    assert await steps.athrow(KeyError("x")) == "handled"
    await steps.aclose()
    assert [span.status for span in spans] == ["ok"]


async def test_an_abandoned_async_generator_is_closed_by_the_loop(spans, caplog):
    """Left by `break`, it is closed in another task without any complaint."""

    @traced
    async def generator():
        try:
            yield
        finally:
            await asyncio.sleep(0)

    async for _ in generator():
        break
    for _ in range(10):
        await asyncio.sleep(0)
    assert [span.status for span in spans] == ["ok"]
    assert current() is None
    assert not caplog.records


async def test_a_cancelled_step_ends_the_span(spans):
    """Cancellation reaches the generator, and is recorded and passed on."""

    @traced
    async def generator():
        yield
        await asyncio.sleep(3600)

    steps = generator()
    await anext(steps)
    task = asyncio.ensure_future(anext(steps))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (spans[0].status, spans[0].attrs()["code"]) == ("error", "cancelled")


def test_a_traced_context_manager_is_open_in_its_block(spans):
    """Under `contextmanager` the block is part of the operation, and errors in it count."""

    @contextmanager
    @traced("managed")
    def managed():
        yield current()

    with managed() as span:
        assert current() is span
    with pytest.raises(ValueError, match="x"), managed():
        raise ValueError("x")
    assert [span.status for span in spans] == ["ok", "error"]
    assert current() is None


async def test_a_traced_async_context_manager_is_open_in_its_block(spans):
    """The same under `asynccontextmanager`."""

    @asynccontextmanager
    @traced("managed")
    async def managed():
        await asyncio.sleep(0)
        yield current()

    async with managed() as span:
        assert current() is span
    with pytest.raises(ValueError, match="x"):
        async with managed():
            raise ValueError("x")
    assert [span.status for span in spans] == ["ok", "error"]
    assert current() is None
