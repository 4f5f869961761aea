"""What is retried, how often, and what the final error tells; the async and the sync form alike."""

import asyncio
import concurrent.futures
import gc
import math
import types
import weakref
from dataclasses import dataclass

import pytest

from mist.errors import Code, MistError, is_retryable
from mist.retry import (
    InvalidSetting,
    Policy,
    do,
    do_auto,
    do_auto_sync,
    do_sync,
    do_with_classifier_sync,
    without_waiting,
)

CERTAIN = Policy(jitter=0)


def test_success_at_once(persist, flaky):
    """What succeeds is called once, and its result returned."""
    fn = flaky()
    assert persist(Policy(), fn) == "done"
    assert fn.calls == 1


def test_failures_are_retried_until_success(persist, flaky):
    """Any ordinary error leads to another attempt while there is one."""
    fn = flaky(OSError(), ValueError())
    assert persist(Policy(3), fn) == "done"
    assert fn.calls == 3


def test_the_last_error_is_raised_as_it_came(persist, flaky):
    """The very object that the last attempt raised comes out, with neither cause nor context."""
    errors = [OSError("first"), OSError("second"), OSError("third")]
    with pytest.raises(OSError, match="third") as caught:
        persist(Policy(3), flaky(*errors))
    assert caught.value is errors[2]
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_note_tells_of_all_attempts(persist, flaky, note):
    """Count, waits and each earlier cause are in the note."""
    errors = [ConnectionRefusedError("refused"), TimeoutError(), OSError("gone")]
    with pytest.raises(OSError, match="gone") as caught:
        persist(CERTAIN, flaky(*errors))
    headline, first, second = note(caught.value).splitlines()
    assert headline.startswith("retry: gave up after 3 attempts in ")
    assert headline.endswith(" s: no attempt is left")
    assert first.startswith("  attempt 1: ConnectionRefusedError: refused; wait 0")
    assert second.startswith("  attempt 2: TimeoutError; wait 0")


def test_the_note_has_the_waits_in_seconds(virtually, flaky, note):
    """What was waited is what the note says, and what the clock says."""
    fn = flaky(*(ConnectionError() for _ in range(3)))
    with pytest.raises(ConnectionError) as caught:
        virtually(do(CERTAIN, fn.awaited))
    assert note(caught.value).splitlines() == [
        "retry: gave up after 3 attempts in 0.3 s: no attempt is left",
        "  attempt 1: ConnectionError; wait 0.1 s",
        "  attempt 2: ConnectionError; wait 0.2 s",
    ]


def test_the_note_is_bounded(persist, flaky, note):
    """However many attempts fail with however much text, the note stays short."""
    errors = [OSError(f"{n} " + "long\ntext " * 1000) for n in range(1000)]
    with pytest.raises(OSError, match="999") as caught:
        persist(Policy(1000, 0.001, 0.001), flaky(*errors))
    lines = note(caught.value).splitlines()
    assert len(lines) == 12
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        *("attempt 1", "attempt 2", "attempt 3"),
        "(989 more)",
        *(f"attempt {n}" for n in range(993, 1000)),
    ]
    assert max(map(len, lines)) < 300


def test_the_same_error_object_does_not_pile_up_notes(persist, note):
    """An error raised again and again carries only the note of the last time."""
    error = OSError("always me")

    def always():
        raise error

    for _ in range(5):
        with pytest.raises(OSError, match="always me"):
            persist(Policy(2), always)
    assert note(error).startswith("retry: gave up after 2 attempts")


def test_notes_of_others_stay(persist, flaky):
    """Only our own earlier note is replaced."""
    error = ConnectionError()
    error.add_note("from somewhere else")
    with pytest.raises(ConnectionError):
        persist(Policy(1), flaky(error))
    assert error.__notes__[0] == "from somewhere else"
    assert len(error.__notes__) == 2


@dataclass(frozen=True)
class FrozenError(Exception):
    """An error that takes no notes."""

    text: str


class MuteError(Exception):
    """An error whose text cannot be had."""

    def __str__(self):
        raise RuntimeError("no text")


def test_errors_that_take_no_notes_or_have_no_text_do_no_harm(persist, flaky, note):
    """What cannot be annotated is raised without a note; what cannot be told is named."""
    fn = flaky(FrozenError("a"), MuteError(), FrozenError("b"))
    with pytest.raises(FrozenError):
        persist(Policy(3), fn)
    with pytest.raises(ConnectionError) as caught:
        persist(Policy(2), flaky(MuteError(), ConnectionError()))
    assert "MuteError: (its text cannot be had)" in note(caught.value)


def test_an_error_that_does_not_tell_its_wish_does_no_harm(persist, flaky):
    """A `retry_after` or a `code` that fails when it is asked for is none."""

    class Unspeaking(Exception):
        @property
        def retry_after(self):
            raise RuntimeError

        code = retry_after

    assert persist(Policy(2), flaky(Unspeaking()), classifier=is_retryable) == "done"


def test_earlier_errors_are_not_kept_alive(persist):
    """While later attempts run, the frames of the failed ones are gone."""
    alive = []

    class Large:
        pass

    def fail():
        gc.collect()
        alive.append(sum(ref() is not None for ref in refs))
        large = Large()
        refs.append(weakref.ref(large))
        raise ConnectionError

    refs = []
    with pytest.raises(ConnectionError):
        persist(Policy(4), fail)
    assert alive == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), BaseException("odd")],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_exception_is_never_retried(persist, flaky, error):
    """What ends a program or a task passes through at once, whatever the classifier says."""
    fn = flaky(error)
    with pytest.raises(type(error)):
        persist(Policy(5), fn, classifier=lambda _: True)
    assert fn.calls == 1


@pytest.mark.parametrize(
    "error",
    [
        concurrent.futures.CancelledError(),
        MistError(Code.CANCELLED, "stopped"),
        ExceptionGroup("both", [concurrent.futures.CancelledError()]),
    ],
    ids=["future", "code", "group"],
)
def test_a_cancellation_in_any_form_is_never_retried(persist, flaky, note, error):
    """Neither a cancelled future nor an error of code `cancelled` is, whatever the classifier."""
    fn = flaky(error)
    with pytest.raises(type(error)) as caught:
        persist(Policy(5), fn, classifier=lambda _: True)
    assert fn.calls == 1
    assert note(caught.value).endswith(": cancelled")


def test_an_awaited_task_that_is_cancelled_is_not_retried(virtually):
    """The CancelledError of asyncio CancelledError passes through, though nobody cancelled this task."""
    attempts = 0

    async def main():
        nonlocal attempts

        async def await_cancelled():
            nonlocal attempts
            attempts += 1
            task = asyncio.ensure_future(asyncio.sleep(1))
            task.cancel()
            await task

        with pytest.raises(asyncio.CancelledError):
            await do(Policy(), await_cancelled)

    virtually(main())
    assert attempts == 1


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (MistError(Code.UNAVAILABLE, "x"), True),
        (MistError(Code.VALIDATION, "x"), False),
        (MistError(Code.AUTH, "x").retriable(), True),
        (MistError(Code.TIMEOUT, "x").permanent(), False),
        (ConnectionError(), True),
        (ValueError(), True),
    ],
)
def test_auto_asks_mist_errors(virtually, flaky, error, retried):
    """`do_auto` retries what `is_retryable` says; `do` retries it all."""
    assert is_retryable(error) is retried
    attempts = 2 if retried else 1
    for run in (
        lambda fn: virtually(do_auto(CERTAIN, fn.awaited)),
        lambda fn: do_auto_sync(CERTAIN, fn),
    ):
        fn = flaky(error)
        with without_waiting():
            if retried:
                assert run(fn) == "done"
            else:
                with pytest.raises(type(error)):
                    run(fn)
        assert fn.calls == attempts
    fn = flaky(error, error)
    with without_waiting():
        assert virtually(do(CERTAIN, fn.awaited)) == do_sync(CERTAIN, flaky(error)) == "done"


@pytest.mark.parametrize(
    "classifier",
    [OSError, (KeyError, OSError), lambda error: isinstance(error, OSError)],
    ids=["class", "classes", "function"],
)
def test_a_classifier_picks_what_to_retry(persist, flaky, note, classifier):
    """A class, a tuple of classes or a function decides; the rest is raised at once."""
    fn = flaky(ConnectionError(), ValueError("no"))
    with pytest.raises(ValueError, match="no") as caught:
        persist(Policy(5), fn, classifier=classifier)
    assert fn.calls == 2
    assert ": not retryable\n" in note(caught.value)


def test_a_classifier_that_raises_does_not_hide_the_error(persist, flaky, note):
    """The operation's own error is raised at once, with a note of what the classifier did."""

    def broken(_):
        raise RuntimeError("classifier bug")

    fn = flaky(OSError("the real one"))
    with pytest.raises(OSError, match="the real one") as caught:
        persist(Policy(5), fn, classifier=broken)
    assert fn.calls == 1
    assert "the classifier failed with RuntimeError: classifier bug" in note(caught.value)
    assert caught.value.__context__ is None


def wished(error, seconds):
    """The error with a `retry_after`."""
    error.retry_after = seconds
    return error


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (wished(OSError(), 2), 2),
        (MistError(Code.RATE_LIMIT, "slow", retry_after=3.5), 3.5),
        (wished(OSError(), 60), 5),
        (wished(OSError(), math.inf), 5),
        (wished(OSError(), 10**400), 5),
        (wished(OSError(), 0.01), 0.1),
        (wished(OSError(), -1), 0.1),
        (wished(OSError(), math.nan), 0.1),
        (wished(OSError(), "2"), 0.1),
        (wished(OSError(), None), 0.1),
        (MistError(Code.INTERNAL, "x", cause=wished(OSError(), 2)), 2),
    ],
)
def test_retry_after_is_honoured_up_to_max_wait(virtually, flaky, error, wait):
    """A wish makes a wait longer, never shorter, and never longer than the policy allows."""

    async def main():
        started = asyncio.get_running_loop().time()
        await do(CERTAIN, flaky(error).awaited)
        return asyncio.get_running_loop().time() - started

    assert virtually(main()) == pytest.approx(wait)


def test_a_circle_of_causes_ends(persist, flaky):
    """A wish is looked for along the causes, once each."""
    one, two = OSError(), OSError()
    one.__cause__, two.__cause__ = two, one
    assert persist(Policy(), flaky(one)) == "done"


def test_one_attempt_is_one_attempt(persist, flaky, note):
    """A policy of one attempt neither waits nor retries."""
    with pytest.raises(ConnectionError) as caught:
        persist(Policy(1), flaky(ConnectionError()))
    assert note(caught.value).startswith("retry: gave up after 1 attempt in ")


def test_the_sync_form_sleeps(flaky):
    """The sync form waits by the clock on the wall, so this test takes that long."""
    import time

    started = time.monotonic()
    assert do_sync(Policy(2, 0.03, jitter=0), flaky(OSError())) == "done"
    assert time.monotonic() - started >= 0.03


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"budget": 10}, "budget must be a Budget, got 10"),
        ({"within": -1}, "within must be a number of seconds, 0 or more, got -1"),
        ({"within": math.nan}, "within must be a number of seconds, 0 or more, got nan"),
        ({"on_attempt": 1}, "on_attempt must be a function, got 1"),
        ({"on_attempt": asyncio.sleep}, "on_attempt must be a plain function, as nobody awaits"),
        ({"classifier": asyncio.sleep}, "classifier must be a plain function, as nobody awaits"),
        ({"nested": True}, 'nested must be "yield" or "retry", got True'),
        ({"classifier": "OSError"}, "classifier must be a function, an exception class or a tuple"),
    ],
)
def test_options_that_make_no_sense_are_refused(persist, flaky, options, text):
    """They are refused before the first attempt."""
    fn = flaky()
    with pytest.raises(InvalidSetting) as caught:
        persist(Policy(), fn, **options)
    assert text in str(caught.value)
    assert fn.calls == 0


def test_arguments_in_the_wrong_order_are_refused(flaky):
    """What should be the policy is named."""
    with pytest.raises(InvalidSetting, match="policy must be a Policy, got <"):
        do_sync(flaky(), Policy())


def test_an_unknown_option_is_refused(persist, flaky):
    """A misspelt option is an error, not ignored."""
    with pytest.raises(TypeError, match="budgt"):
        persist(Policy(), flaky(), budgt=None)


def test_a_coroutine_function_in_the_sync_form_is_an_error(flaky):
    """A coroutine that nobody would await is not taken for a success."""
    with pytest.raises(InvalidSetting, match="coroutine functions have do, do_auto"):
        do_sync(Policy(), flaky().awaited)


@pytest.mark.parametrize("returned", [None, "text", (n for n in "generator")])
def test_a_plain_function_in_the_async_form_is_an_error(virtually, returned):
    """What cannot be awaited is refused at the first attempt, not retried."""
    calls = []
    with pytest.raises(InvalidSetting, match=r"fn must return an awaitable, got .*do_sync"):
        virtually(do(Policy(), lambda: calls.append(1) or returned))
    assert calls == [1]


def test_a_retry_set_up_wrongly_inside_is_not_retried(persist):
    """An InvalidSetting from within an attempt stays one, so it is raised at once."""
    calls = []

    def wrong():
        calls.append(1)
        return Policy(0)

    with pytest.raises(InvalidSetting):
        persist(Policy(5), wrong)
    assert calls == [1]


def test_any_awaitable_will_do(virtually):
    """Futures, objects with `__await__` and what `types.coroutine` makes are awaited as well."""

    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0, "done").__await__()
            return "done"

    @types.coroutine
    def made_of_a_generator():
        yield
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError
        return "made"

    async def main():
        future = asyncio.get_running_loop().create_future()
        future.set_result("future")
        return [await do(Policy(), fn) for fn in (Awaitable, lambda: future, made_of_a_generator)]

    attempts = []
    assert virtually(main()) == ["done", "future", "made"]


def test_calls_share_no_state(virtually):
    """A hundred concurrent operations have each their own count of attempts and their waits."""

    async def operation(number):
        attempts = 0

        async def fail():
            nonlocal attempts
            attempts += 1
            await asyncio.sleep(number / 1000)
            if attempts <= number % 4:
                raise OSError(number)
            return attempts

        return await do(Policy(4), fail)

    async def main():
        return await asyncio.gather(*map(operation, range(100)))

    assert virtually(main()) == [number % 4 + 1 for number in range(100)]


def test_the_classifier_is_asked_once_an_attempt(flaky):
    """A classifier sees each error once, in order."""
    errors = [OSError("a"), OSError("b")]
    seen = []
    with without_waiting():
        do_with_classifier_sync(Policy(), lambda error: seen.append(error) or True, flaky(*errors))
    assert seen == errors
