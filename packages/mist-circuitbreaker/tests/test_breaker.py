"""What a breaker does with calls of every kind."""

import asyncio
import contextlib
import contextvars
import functools
import logging
import pickle

import pytest

from mist.circuitbreaker import (
    Breaker,
    CircuitOpenError,
    InvalidSettingError,
    State,
    WrongFunctionError,
    is_failure,
)
from mist.errors import Code, MistError, code_of, http_status, is_retryable


def _fail(error=OSError):
    raise error("broken")


async def _afail(error=OSError):
    raise error("broken")


def _break(breaker, times=1):
    for _ in range(times):
        with pytest.raises(OSError, match="broken"):
            breaker.do_sync(_fail)


def test_it_opens_after_threshold_failures_in_a_row(clock):
    """One failure less keeps it closed, a success in between starts the count anew."""
    breaker = Breaker(threshold=3, clock=clock)
    _break(breaker, 2)
    breaker.do_sync(lambda: None)
    _break(breaker, 2)
    assert breaker.state is State.CLOSED
    _break(breaker)
    assert breaker.state is State.OPEN
    assert breaker.counts() == (1, 5)


def test_an_open_circuit_refuses_and_says_for_how_long(clock):
    """The refusal has the code unavailable, and the seconds until a probe may pass."""
    breaker = Breaker(threshold=1, timeout=30, name="router", clock=clock)
    _break(breaker)
    clock.pass_(12)
    with pytest.raises(CircuitOpenError) as refused:
        breaker.do_sync(lambda: pytest.fail("it was called"))
    error = refused.value
    assert (error.code, error.name, error.retry_after) == ("unavailable", "router", 18.0)
    assert str(error) == ("unavailable: circuit 'router' is open; it lets a probe through in 18 s")
    assert http_status(error.code) == 503
    assert is_retryable(error)
    assert breaker.counts() == (0, 1)


def test_a_refusal_pickles():
    """It crosses process boundaries whole."""
    error = CircuitOpenError("router", 1.5)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.name, copy.retry_after) == (str(error), "router", 1.5)


def test_after_the_timeout_a_success_closes_it_and_a_failure_opens_it_again(clock):
    """The first probe decides."""
    breaker = Breaker(threshold=1, timeout=30, clock=clock)
    _break(breaker)
    clock.pass_(30)
    assert breaker.state is State.HALF_OPEN
    _break(breaker)
    assert breaker.state is State.OPEN
    clock.pass_(30)
    assert breaker.do_sync(lambda: "well") == "well"
    assert breaker.state is State.CLOSED


async def test_do_awaits_what_the_function_returns(clock):
    """An async function's failures open the circuit, and its results come back."""
    breaker = Breaker(threshold=2, clock=clock)
    assert await breaker.do(functools.partial(asyncio.sleep, 0, "value")) == "value"
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            await breaker.do(_afail)
    with pytest.raises(CircuitOpenError):
        await breaker.do(_afail)


async def test_a_fallback_takes_the_refusal_and_nothing_else(clock):
    """The call's own error is raised; a refusal goes to the fallback."""
    breaker = Breaker(threshold=1, clock=clock)

    async def stand_in(refusal):
        return refusal.retry_after

    with pytest.raises(OSError, match="broken"):
        await breaker.do_with_fallback(_afail, stand_in)
    assert await breaker.do_with_fallback(_afail, stand_in) == 30.0
    assert breaker.do_with_fallback_sync(_fail, lambda refusal: refusal.code) == "unavailable"
    breaker.reset()
    assert breaker.do_with_fallback_sync(lambda: "own", lambda _: "stand-in") == "own"
    with pytest.raises(OSError, match="broken"):
        breaker.do_with_fallback_sync(_fail, lambda _: "stand-in")


def test_another_circuits_refusal_is_not_ours_to_fall_back_from(clock):
    """A refusal that the called function raises is an error like any other."""
    inner = Breaker(threshold=1, clock=clock)
    outer = Breaker(threshold=1, clock=clock)
    _break(inner)
    with pytest.raises(CircuitOpenError):
        outer.do_with_fallback_sync(lambda: inner.do_sync(_fail), lambda _: "stand-in")
    assert outer.state is State.OPEN


@pytest.mark.parametrize("code", ["validation", "auth", "not_found", "conflict", "cancelled"])
def test_what_is_the_callers_own_fault_does_not_count(code, clock):
    """It says nothing about the called, neither good nor bad."""
    breaker = Breaker(threshold=1, clock=clock)
    with pytest.raises(MistError):
        breaker.do_sync(lambda: _raise(MistError(code, "no")))
    assert breaker.state is State.CLOSED
    assert breaker.counts() == (0, 0)


@pytest.mark.parametrize("error", [MistError(Code.RATE_LIMIT, "slow down"), ValueError("odd")])
def test_everything_else_counts(error, clock):
    """So do exceptions that carry no code."""
    breaker = Breaker(threshold=1, clock=clock)
    with pytest.raises(type(error)):
        breaker.do_sync(lambda: _raise(error))
    assert breaker.state is State.OPEN


def test_who_wants_other_errors_to_count_says_so(clock):
    """The choice may build on the default one."""
    breaker = Breaker(
        threshold=1,
        clock=clock,
        is_failure=lambda error: is_failure(error) and not isinstance(error, KeyError),
    )
    with pytest.raises(KeyError):
        breaker.do_sync(lambda: {}["absent"])
    assert breaker.state is State.CLOSED
    _break(breaker)
    assert breaker.state is State.OPEN


def test_a_choice_that_raises_hides_no_error(clock, caplog):
    """The caller gets the call's error, which counts, and the log tells of the other."""
    breaker = Breaker(threshold=1, clock=clock, is_failure=lambda _: 1 / 0)
    _break(breaker)
    assert breaker.state is State.OPEN
    assert "is_failure of breaker '' raised" in caplog.text


def test_a_hook_that_raises_changes_nothing(clock, caplog):
    """The circuit opens, the caller gets its own error, and the log tells of the hook's."""
    breaker = Breaker(
        threshold=1, name="b", clock=clock, on_state_change=lambda *_: _fail(RuntimeError)
    )
    with caplog.at_level(logging.WARNING, "mist.circuitbreaker"):
        _break(breaker)
    assert breaker.state is State.OPEN
    assert "on_state_change of breaker 'b' raised" in caplog.text


def test_a_hook_may_use_the_breaker(clock):
    """It is called outside the lock, and changes that it causes come after."""
    changes = []

    def hook(old, new):
        changes.append((str(old), str(new), str(breaker.state)))
        if new is State.OPEN:
            breaker.reset()

    breaker = Breaker(threshold=1, clock=clock, on_state_change=hook)
    _break(breaker)
    assert changes == [("closed", "open", "open"), ("open", "closed", "closed")]


def test_a_hook_that_nobody_could_await_is_refused():
    """A coroutine function would silently do nothing."""

    async def hook(old, new):
        pass

    with pytest.raises(TypeError, match="plain function"):
        Breaker(on_state_change=hook)
    with pytest.raises(TypeError, match="on_state_change must be callable, got int"):
        Breaker(on_state_change=3)
    with pytest.raises(TypeError, match="is_failure must be a plain function"):
        Breaker(is_failure=hook)


@pytest.mark.parametrize("threshold", [1, 2])
async def test_a_function_of_the_wrong_kind_is_named_and_counts_as_nothing(threshold, clock):
    """A plain one under `do`, and a coroutine function under `do_sync`, which could not trip."""
    breaker = Breaker(threshold=2, clock=clock)
    _break(breaker, threshold - 1)  # both ways through `do`

    async def no_fallback(refusal):
        raise refusal

    for call in (breaker.do, lambda fn: breaker.do_with_fallback(fn, no_fallback)):
        with pytest.raises(TypeError, match="must return an awaitable, got 3") as wrong:
            await call(lambda: 3)
        assert wrong.value.code == "validation"
        with pytest.raises(TypeError, match="must return an awaitable, got <generator"):
            await call(lambda: (n for n in "abc"))
    for call in (breaker.do_sync, lambda fn: breaker.do_with_fallback_sync(fn, lambda _: None)):
        with pytest.raises(TypeError, match="fn returned a coroutine"):
            call(_afail)
    assert breaker.state is State.CLOSED
    assert breaker.counts() == (0, threshold - 1)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"threshold": 0}, "threshold must be an integer of 1 or more, got 0"),
        ({"threshold": 2.5}, "threshold must be an integer"),
        ({"threshold": True}, "threshold must be an integer"),
        ({"half_open_max": 0}, "half_open_max must be"),
        ({"timeout": 0}, "timeout must be a positive number of seconds, got 0"),
        ({"timeout": float("nan")}, "timeout must be"),
        ({"timeout": float("inf")}, "timeout must be"),
        ({"timeout": "30"}, "timeout must be a positive number of seconds, got '30'"),
        ({"timeout": None}, "timeout must be a positive number of seconds, got None"),
        ({"failure_ratio": True}, "failure_ratio must be more than 0 and at most 1, got True"),
        ({"timeout_growth": "2"}, "timeout_growth must be 1 or more, got '2'"),
        ({"failure_ratio": 1.5}, "failure_ratio must be more than 0 and at most 1, got 1.5"),
        ({"slow_ratio": 0.5}, "slow_ratio and slow_call belong together"),
        ({"slow_call": 1.0}, "slow_ratio and slow_call belong together"),
        ({"slow_call": -1.0, "slow_ratio": 0.5}, "slow_call must be a positive"),
        ({"threshold": None}, "nothing would ever open the circuit"),
        ({"timeout_growth": 0.5}, "timeout_growth must be 1 or more, got 0.5"),
        ({"min_calls": 0}, "min_calls must be"),
        ({"min_calls": 1001}, "min_calls must be 1000 or less, as many as a window remembers"),
        ({"window": 0}, "window must be"),
    ],
)
def test_a_wrong_setting_is_named(setting, text):
    """The error says which setting, what it may be, and what it was."""
    with pytest.raises(InvalidSettingError, match=text) as caught:
        Breaker(**setting)
    assert isinstance(caught.value, ValueError)
    assert code_of(caught.value) == Code.VALIDATION


def test_the_share_of_failures_opens_it(clock):
    """Half of the calls fail, never two in a row."""
    breaker = Breaker(threshold=None, failure_ratio=0.5, min_calls=10, clock=clock)
    for _ in range(4):
        _break(breaker)
        breaker.do_sync(lambda: None)
    breaker.do_sync(lambda: None)
    assert breaker.state is State.CLOSED
    _break(breaker)
    assert breaker.state is State.OPEN


def test_calls_older_than_the_window_do_not_count(clock):
    """Failures of long ago open nothing today."""
    breaker = Breaker(threshold=None, failure_ratio=0.5, min_calls=4, window=60, clock=clock)
    _break(breaker, 3)
    clock.pass_(60)
    for _ in range(3):
        breaker.do_sync(lambda: None)
    _break(breaker)
    assert breaker.state is State.CLOSED


def test_the_window_takes_bounded_memory(clock):
    """Of a million calls a second only the newest are kept, and the ratio follows them."""
    breaker = Breaker(threshold=None, failure_ratio=0.9, min_calls=10, clock=clock)
    for _ in range(5000):
        breaker.do_sync(lambda: None)
    _break(breaker, 899)
    assert breaker.state is State.CLOSED
    _break(breaker)
    assert breaker.state is State.OPEN


def test_the_share_of_slow_calls_opens_it(clock):
    """Calls that succeed, but too late, are a sign of trouble as well."""
    breaker = Breaker(slow_call=1.0, slow_ratio=0.5, min_calls=4, clock=clock)
    breaker.do_sync(lambda: clock.pass_(1.0))
    breaker.do_sync(lambda: clock.pass_(1.0))
    breaker.do_sync(lambda: clock.pass_(1.1))
    assert breaker.state is State.CLOSED
    breaker.do_sync(lambda: clock.pass_(1.1))
    assert breaker.state is State.OPEN
    clock.pass_(30)
    breaker.do_sync(lambda: clock.pass_(1.1))
    assert breaker.state is State.OPEN
    clock.pass_(30)
    breaker.do_sync(lambda: None)
    assert breaker.state is State.CLOSED


def test_the_open_time_may_grow_with_each_opening_in_a_row(clock):
    """It is bounded, and a circuit that was closed begins with the shortest again."""
    breaker = Breaker(threshold=1, timeout=10, timeout_growth=2, max_timeout=35, clock=clock)
    waits = []
    for _ in range(4):
        _break(breaker)
        with pytest.raises(CircuitOpenError) as refused:
            breaker.do_sync(_fail)
        waits.append(refused.value.retry_after)
        clock.pass_(refused.value.retry_after)
    breaker.do_sync(lambda: None)
    _break(breaker)
    with pytest.raises(CircuitOpenError) as refused:
        breaker.do_sync(_fail)
    assert [*waits, refused.value.retry_after] == [10, 20, 35, 35, 10]


def test_open_for_ever_does_not_overflow(clock):
    """A growth that no float can hold ends at the longest time."""
    breaker = Breaker(threshold=1, timeout=1, timeout_growth=1e200, max_timeout=5, clock=clock)
    for _ in range(4):
        _break(breaker)
        clock.pass_(5)
    assert breaker.state is State.HALF_OPEN


async def test_the_decorator_takes_functions_of_every_kind(clock):
    """Each keeps its name, and its failures open the circuit."""

    def plain():
        """Doc."""
        _fail()

    async def coroutine():
        await _afail()

    def generator():
        yield 1
        _fail()

    async def async_generator():
        yield 1
        _fail()

    async def consume(call):
        if hasattr(call, "__aiter__"):
            return [item async for item in call]
        if hasattr(call, "__await__"):
            return await call
        return list(call)

    class Callable:
        __name__ = "callable"

        async def __call__(self):
            await _afail()

    for fn in (plain, coroutine, generator, async_generator, Callable()):
        breaker = Breaker(threshold=2, clock=clock)
        protected = breaker.protect(fn)
        assert protected.__name__ == fn.__name__
        for _ in range(2):
            with pytest.raises(OSError, match="broken"):
                await consume(protected())
        with pytest.raises(CircuitOpenError):
            await consume(protected())
        assert breaker.counts() == (0, 2)


@pytest.mark.parametrize("thing", [None, "text", classmethod(lambda _: None), property()])
def test_what_is_no_function_is_not_protected(thing):
    """The error says where the decorator goes, and comes where it stands."""
    with pytest.raises(WrongFunctionError, match="beneath @classmethod"):
        Breaker().protect(thing)


def test_a_protected_generator_takes_and_returns_values(clock):
    """`send` and the return value pass through."""

    @Breaker(clock=clock).protect
    def echo():
        got = yield "ready"
        return got

    running = echo()
    assert next(running) == "ready"
    with pytest.raises(StopIteration) as ended:
        running.send("value")
    assert ended.value.value == "value"


async def test_a_protected_async_generator_takes_values_and_errors(clock):
    """`asend` and `athrow` reach it, so that it may be a context manager."""

    @contextlib.asynccontextmanager
    @Breaker(clock=clock).protect
    async def connection():
        try:
            yield "open"
        except ZeroDivisionError as error:
            seen.append(error)

    seen = []
    async with connection() as state:
        assert state == "open"
        raise ZeroDivisionError
    assert len(seen) == 1

    @Breaker(clock=clock).protect
    async def echo():
        seen.append((yield "ready"))

    running = echo()
    assert await anext(running) == "ready"
    with pytest.raises(StopAsyncIteration):
        await running.asend("value")
    assert seen[1] == "value"


async def test_a_stream_that_its_reader_leaves_says_nothing(clock):
    """Breaking out of a stream is neither success nor failure, and gives the probe back."""
    breaker = Breaker(threshold=1, timeout=30, clock=clock)

    @breaker.protect
    async def stream():
        while True:
            yield 1

    _break(breaker)
    clock.pass_(30)
    running = stream()
    assert await anext(running) == 1
    with pytest.raises(CircuitOpenError):
        await anext(stream())
    await running.aclose()
    assert breaker.state is State.HALF_OPEN
    assert breaker.do_sync(lambda: "well") == "well"


async def test_blocks_count_as_calls(clock):
    """`with` and `async with` open the circuit, refuse, and give permits back."""
    breaker = Breaker(threshold=2, clock=clock)
    with breaker as same:
        assert same is breaker
    with pytest.raises(OSError, match="broken"), breaker:
        _fail()
    with pytest.raises(OSError, match="broken"):
        async with breaker:
            _fail()
    with pytest.raises(CircuitOpenError):
        async with breaker:
            pytest.fail("the block ran")
    clock.pass_(30)
    async with breaker:
        pass
    assert breaker.state is State.CLOSED
    assert breaker.counts() == (2, 2)


async def test_a_block_may_end_in_another_task(clock):
    """A probe that a generator holds comes back when another task closes the generator."""
    breaker = Breaker(threshold=1, timeout=30, clock=clock)
    _break(breaker)
    clock.pass_(30)

    async def stream():
        async with breaker:
            yield 1

    running = stream()
    await asyncio.create_task(_first(running))
    with pytest.raises(CircuitOpenError):
        breaker.do_sync(lambda: None)
    await asyncio.create_task(running.aclose())
    assert breaker.do_sync(lambda: "well") == "well"
    assert breaker.state is State.CLOSED


async def test_what_ends_elsewhere_is_no_verdict_on_a_probe(clock):
    """A block of long ago, left by another task, neither closes nor opens the circuit."""
    breaker = Breaker(threshold=1, timeout=30, clock=clock)

    async def stream():
        async with breaker:
            yield 1

    running = stream()
    await asyncio.create_task(_first(running))
    _break(breaker)
    clock.pass_(30)
    async with breaker:
        with pytest.raises(StopAsyncIteration):
            await asyncio.create_task(_first(running), context=contextvars.Context())
        assert breaker.state is State.HALF_OPEN
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("kind", ["generator", "async generator"])
async def test_a_protected_stream_ends_with_its_own_permit(kind, clock):
    """Wherever it is closed: another's probe stays out, and its own comes back with its verdict."""
    breaker = Breaker(threshold=1, timeout=30, clock=clock)

    @breaker.protect
    def generator():
        yield 1

    @breaker.protect
    async def async_generator():
        yield 1

    async def step(stream):
        return next(stream, None) if kind == "generator" else await anext(stream, None)

    make = generator if kind == "generator" else async_generator
    old, empty = make(), contextvars.Context
    assert await asyncio.create_task(step(old), context=empty()) == 1
    _break(breaker)
    clock.pass_(30)
    async with breaker:
        assert await asyncio.create_task(step(old), context=empty()) is None
        with pytest.raises(CircuitOpenError):
            breaker.do_sync(lambda: None)
    breaker.reset()
    _break(breaker)
    clock.pass_(30)
    probe = make()
    assert await asyncio.create_task(step(probe), context=empty()) == 1
    assert await asyncio.create_task(step(probe), context=empty()) is None
    assert breaker.state is State.CLOSED


async def test_blocks_of_generators_may_end_in_any_order(clock):
    """Two circuits' blocks, entered one after the other, are left in the same order."""
    first, second = Breaker(clock=clock), Breaker(clock=clock)

    def block(breaker):
        with breaker:
            yield

    running = [block(first), block(second)]
    for each in running:
        next(each)
    for each in running:
        assert list(each) == []
    assert (first.counts(), second.counts()) == ((1, 0), (1, 0))


def test_probes_of_generators_that_end_in_any_order_are_all_given_back(clock):
    """Each block gives back a permit of its own, also where one of another circuit is within."""
    first, second = Breaker(threshold=1, half_open_max=2, clock=clock), Breaker(clock=clock)
    _break(first)
    clock.pass_(30)

    def block(breaker):
        with breaker:
            yield

    for _ in range(2):
        running = [block(first), block(first), block(second)]
        for each in running:
            next(each)
        for each in running:
            each.close()


def test_the_state_feeds_readiness(clock):
    """The check raises while every call would be refused, and not once a probe may pass."""
    breaker = Breaker(threshold=1, timeout=30, name="db", clock=clock)
    check = breaker.to_health()
    check()
    _break(breaker)
    with pytest.raises(CircuitOpenError, match="circuit 'db' is open"):
        check()
    clock.pass_(30)
    check()


def test_its_repr_tells_what_one_wants_to_know(clock):
    """Name, state and counts."""
    breaker = Breaker(threshold=1, name="db", clock=clock)
    _break(breaker)
    assert repr(breaker) == "<Breaker name='db', open, 0 succeeded, 1 failed>"
    assert f"{breaker.state}" == "open"


def test_reset_forgets_what_led_to_the_state(clock):
    """A failure before it counts no more, nor does a call that began before it."""
    breaker = Breaker(threshold=2, clock=clock)
    _break(breaker)
    breaker.reset()
    _break(breaker)
    assert breaker.state is State.CLOSED
    _break(breaker)
    breaker.reset()
    assert breaker.state is State.CLOSED
    assert breaker.counts() == (0, 3)


def _raise(error):
    raise error


async def _first(items):
    return await anext(items)
