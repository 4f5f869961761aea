"""The decorator, on every kind of function."""

import asyncio
import contextlib
import functools
import inspect

import pytest

from mist.errors import Code, MistError
from mist.retry import Budget, InvalidSetting, Policy, retrying, without_waiting

POLICY = Policy(3, jitter=0)


@pytest.fixture(autouse=True)
def waits():
    """Wait nowhere; the list has the waits left out."""
    with without_waiting() as waits:
        yield waits


def test_a_function(flaky):
    """Arguments are passed on, anew for each attempt, and the result is returned."""
    fn = flaky(OSError(), OSError())
    seen = []

    @retrying(POLICY)
    def call(*args, **kwargs):
        """Say what it does."""
        seen.append((args, kwargs))
        return fn()

    assert call(1, plan=2, fn=3) == "done"
    assert seen == [((1,), {"plan": 2, "fn": 3})] * 3
    assert (call.__name__, call.__doc__) == ("call", "Say what it does.")
    assert not inspect.iscoroutinefunction(call)


async def test_a_coroutine_function(flaky):
    """It stays a coroutine function, for whoever asks."""
    fn = flaky(OSError())

    @retrying(POLICY)
    async def call(text, *, end):
        return await fn.awaited() + text + end

    assert inspect.iscoroutinefunction(call)
    assert await call(" and", end="!") == "done and!"


def test_methods(flaky):
    """Methods of every kind can be decorated, beneath their own decorators."""
    fns = {name: flaky(OSError(), OSError()) for name in ("method", "class", "value")}

    class Client:
        @retrying(POLICY)
        def method(self):
            assert isinstance(self, Client)
            return fns["method"]()

        @classmethod
        @retrying(POLICY)
        def of_class(cls):
            assert cls is Client
            return fns["class"]()

        @property
        @retrying(POLICY)
        def value(self):
            assert isinstance(self, Client)
            return fns["value"]()

    assert (Client().method(), Client.of_class(), Client().value) == ("done",) * 3


async def test_callables_of_other_kinds(flaky):
    """Partials, built-in functions, and instances whose `__call__` is a coroutine function."""

    class Caller:
        def __init__(self):
            self.fn = flaky(OSError())

        async def __call__(self):
            """Do it."""
            return await self.fn.awaited()

    caller = Caller()
    named = functools.partial(caller.fn.awaited)
    assert await retrying(POLICY)(caller)() == "done"
    assert await retrying(POLICY)(named)() == "done"
    assert retrying(POLICY)(len)("abc") == 3


@pytest.mark.parametrize("thing", [None, "text", classmethod(lambda _: None), property()])
def test_what_is_no_function_is_refused(thing):
    """The error says where the decorator goes."""
    with pytest.raises(InvalidSetting, match="beneath @classmethod"):
        retrying(POLICY)(thing)


def test_settings_are_checked_where_they_are_written():
    """A mistake shows when the function is decorated, not when it is called."""
    with pytest.raises(InvalidSetting, match="within must be"):
        retrying(POLICY, within=-1)
    with pytest.raises(InvalidSetting, match="policy must be a Policy, got <function"):
        retrying(lambda: None)
    with pytest.raises(TypeError, match="budgt"):
        retrying(POLICY, budgt=None)


def test_by_default_it_retries_what_is_transient(flaky):
    """As `do_auto` does; another classifier can be given, and the other options."""
    fn = flaky(MistError(Code.AUTH, "no"))
    with pytest.raises(MistError):
        retrying(POLICY)(fn)()
    assert fn.calls == 1
    assert retrying(POLICY, classifier=Exception)(flaky(MistError(Code.AUTH, "no")))() == "done"


def test_one_budget_for_all_calls(flaky):
    """The calls of a decorated function share the budget, and nothing else."""
    budget = Budget(3, refill_rate=0, refund=0)
    fn = flaky(*(ConnectionError() for _ in range(99)))
    call = retrying(POLICY, budget=budget)(fn)
    for _ in range(4):
        with pytest.raises(ConnectionError):
            call()
    assert fn.calls == 4 + 3


def source(fail_first, items, fail_after=None):
    """Return a generator function that fails so many times before its first item."""
    starts = []

    def generate():
        starts.append(len(starts))
        if len(starts) <= fail_first:
            raise ConnectionError(f"start {len(starts)}")
        for number in range(items):
            if number == fail_after:
                raise ConnectionError(f"after {number}")
            yield number
        return "end"

    return generate, starts


def as_async(generate):
    """Return the same as an asynchronous generator function."""

    async def generate_async():
        for item in generate():
            await asyncio.sleep(0)
            yield item

    return generate_async


async def collect(generator, into):
    """Put what a generator of either kind gives into a list."""
    if inspect.isasyncgen(generator):
        async for item in generator:
            into.append(item)
    else:
        into.extend(generator)


KINDS = pytest.mark.parametrize("kind", [lambda g: g, as_async], ids=["generator", "async"])


@KINDS
async def test_a_generator_that_fails_at_its_start_begins_again(kind):
    """Until its first item nothing has been used, so that it can."""
    generate, starts = source(2, 4)
    items = []
    await collect(retrying(POLICY)(kind(generate))(), items)
    assert items == [0, 1, 2, 3]
    assert len(starts) == 3


@KINDS
async def test_items_are_never_repeated(kind, note):
    """After an item, the error is raised as it is, with a note of how far it had come."""
    generate, starts = source(1, 4, fail_after=2)
    items = []
    with pytest.raises(ConnectionError, match="after 2") as caught:
        await collect(retrying(POLICY)(kind(generate))(), items)
    assert items == [0, 1]
    assert len(starts) == 2
    assert note(caught.value) == "retry: not tried again: 2 items have been given already"


@KINDS
async def test_a_generator_that_never_starts_gives_up(kind, note):
    """When no attempt is left, the last error comes out of the first item's place."""
    generate, starts = source(9, 4)
    with pytest.raises(ConnectionError, match="start 3") as caught:
        await collect(retrying(POLICY)(kind(generate))(), [])
    assert len(starts) == 3
    assert note(caught.value).startswith("retry: gave up after 3 attempts")


@KINDS
async def test_a_generator_without_items_succeeds(kind):
    """To end without an item is no failure, and one attempt."""
    generate, starts = source(1, 0)
    items = []
    await collect(retrying(POLICY)(kind(generate))(), items)
    assert items == []
    assert len(starts) == 2


@KINDS
async def test_generator_functions_stay_what_they_are(kind):
    """Whoever asks is told the same kind as before, and nothing runs before the first item."""
    generate, starts = source(0, 1)
    retried = retrying(POLICY)(kind(generate))
    assert inspect.isgeneratorfunction(retried) == inspect.isgeneratorfunction(kind(generate))
    assert inspect.isasyncgenfunction(retried) == inspect.isasyncgenfunction(kind(generate))
    generator = retried()
    assert starts == []
    if inspect.isasyncgen(generator):
        await generator.aclose()
    else:
        generator.close()


def test_a_generator_gets_what_is_sent_thrown_and_returned():
    """The source takes part in the conversation as if it were alone."""
    log = []

    @retrying(POLICY)
    def converse():
        try:
            log.append((yield "first"))
            yield "second"
        except KeyError as error:
            log.append(error)
            yield "caught"
        finally:
            log.append("closed")
        return "end"

    generator = converse()
    assert next(generator) == "first"
    assert generator.send("hello") == "second"
    error = KeyError("thrown")
    assert generator.throw(error) == "caught"
    with pytest.raises(StopIteration) as caught:
        next(generator)
    assert caught.value.value == "end"
    assert log == ["hello", error, "closed"]


async def test_an_async_generator_gets_what_is_sent_and_thrown():
    """The asynchronous form takes part in the conversation alike."""
    log = []

    @retrying(POLICY)
    async def converse():
        try:
            log.append((yield "first"))
            yield "second"
        except KeyError as error:
            log.append(error)
            yield "caught"
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    generator = converse()
    assert await anext(generator) == "first"
    assert await generator.asend("hello") == "second"
    error = KeyError("thrown")
    assert await generator.athrow(error) == "caught"
    with pytest.raises(StopAsyncIteration):
        await anext(generator)
    assert log == ["hello", error, "closed"]


async def test_leaving_early_closes_the_source():
    """A consumer that has enough leaves nothing open behind it."""
    log = []

    @retrying(POLICY)
    def items():
        try:
            yield from range(10)
        finally:
            log.append("generator")

    @retrying(POLICY)
    async def items_async():
        try:
            for number in range(10):
                yield number
        finally:
            await asyncio.sleep(0)
            log.append("async")

    for _ in items():
        break
    async with contextlib.aclosing(items_async()) as generator:
        async for _ in generator:
            break
    assert log == ["generator", "async"]


def test_what_the_consumer_throws_is_not_called_a_failure_of_the_source():
    """An error of the consumer's own passes through without a note of ours."""

    @contextlib.contextmanager
    @retrying(POLICY)
    def resource():
        yield "resource"

    def use():
        with resource():
            raise KeyError("the user's own")

    with pytest.raises(KeyError) as caught:
        use()
    assert not hasattr(caught.value, "__notes__")


def test_between_items_nothing_of_the_retry_is_around_the_consumer():
    """A retry in the consumer's loop is not nested in the generator's."""
    calls = []

    @retrying(POLICY)
    def items():
        yield 1

    @retrying(POLICY)
    def fail():
        calls.append(1)
        raise ConnectionError

    for _ in items():
        with pytest.raises(ConnectionError):
            fail()
    assert len(calls) == 3


async def test_between_items_of_an_async_generator_neither():
    """The same for the asynchronous form, whose consumer shares its context."""
    calls = []

    @retrying(POLICY)
    async def items():
        yield 1
        yield 2

    @retrying(POLICY)
    async def fail():
        calls.append(1)
        raise ConnectionError

    async for _ in items():
        with pytest.raises(ConnectionError):
            await fail()
    assert len(calls) == 6


async def test_a_generator_may_be_closed_by_another_task():
    """No part of it depends on the context that it began in."""

    @retrying(POLICY)
    async def items():
        yield 1
        yield 2

    generator = items()
    assert await asyncio.create_task(anext(generator)) == 1
    await asyncio.create_task(generator.aclose())


async def test_the_first_item_is_the_success():
    """Budget and hook hear of a generator's attempts, and of its first item as success."""
    told = []
    budget = Budget(1, refill_rate=0, refund=1)
    generate, _ = source(1, 3)
    generator = retrying(POLICY, budget=budget, on_attempt=told.append)(generate)()
    assert next(generator) == 0
    assert [attempt.error is None for attempt in told] == [False, True]
    assert budget.available == 1
    generator.close()
