"""Retrying what is awaited."""

from __future__ import annotations

from functools import cache

from mist.errors import is_retryable
from mist.retry.nesting import Scope
from mist.retry.plan import Plan
from mist.retry.run import Run
from mist.retry.setting import InvalidSetting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType
    from typing import ParamSpec, TypeVar, Unpack

    from mist.retry.plan import Classifier, Options
    from mist.retry.policy import Policy

    P = ParamSpec("P")
    T = TypeVar("T")

_NOTHING_YET = object()


async def do(policy: Policy, fn: Callable[[], Awaitable[T]], **options: Unpack[Options]) -> T:
    """Await `fn()` until it succeeds, whatever error it raises, as often as the policy allows.

    What is no `Exception` is never retried, nor is a cancellation in any form. The last error is
    raised as it came, with a note that tells of all attempts. An `asyncio.timeout` that this task
    is in counts as a deadline: rather than wait past it, the error is raised at once.

    Args:
        policy: how often, and after what waits. An error's `retry_after`, in seconds, makes a
            wait longer, up to the policy's `max_wait`.
        fn: makes one attempt.
        options: all of them optional.
            `budget`, a `Budget`: pays for each retry; once it is used up, errors are raised at
            once.
            `within`, seconds from the beginning: an attempt that would begin later is not made.
            `on_attempt`, a function: is told of each attempt that succeeds or fails, before any
            wait. What it raises is logged once and changes nothing.
            `nested`: in an attempt of another retry, `"yield"`, the default, makes one attempt
            and leaves the retrying to the other; `"retry"` multiplies the attempts.

    Raises:
        InvalidSetting: an argument makes no sense.
    """
    return await persist(Plan(policy, Exception, options), fn)


async def do_auto(policy: Policy, fn: Callable[[], Awaitable[T]], **options: Unpack[Options]) -> T:
    """As `do`, but only for errors that `mist.errors.is_retryable` holds to be transient.

    Args:
        policy: how often, and after what waits.
        fn: makes one attempt.
        options: as for `do`.

    Raises:
        InvalidSetting: an argument makes no sense.
    """
    return await persist(Plan(policy, is_retryable, options), fn)


async def do_with_classifier(
    policy: Policy,
    classifier: Classifier,
    fn: Callable[[], Awaitable[T]],
    **options: Unpack[Options],
) -> T:
    """As `do`, but only for the errors that `classifier` picks.

    Args:
        policy: how often, and after what waits.
        classifier: an exception class, a tuple of them, or a function that tells of an error
            whether to retry. If it fails, the operation's error is raised, with a note of that.
        fn: makes one attempt.
        options: as for `do`.

    Raises:
        InvalidSetting: an argument makes no sense.
    """
    return await persist(Plan(policy, classifier, options), fn)


async def persist(
    plan: Plan, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Await `fn(...)` until it succeeds or the plan has it give up."""
    asyncio = _asyncio()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    requests_before = 0 if task is None else task.cancelling()
    started = loop.time()
    run: Run | None = None
    awaitable: object = _NOTHING_YET
    while True:
        scope = Scope(plan.policy.max_attempts)
        try:
            try:
                result = await (awaitable := fn(*args, **kwargs))
            finally:
                scope.end()
        except Exception as error:
            from inspect import isawaitable  # noqa: PLC0415  # asyncio has imported it

            if awaitable is not _NOTHING_YET and not isawaitable(awaitable):
                raise InvalidSetting(
                    f"fn must return an awaitable, got {awaitable!r}:"
                    " plain functions have do_sync, do_auto_sync, do_with_classifier_sync"
                ) from error
            run = run or Run(plan, loop.time, started, task, requests_before)
            wait = run.failed(error)
            if wait is None:
                raise
            try:
                await asyncio.sleep(wait)
            except BaseException as interruption:
                run.interrupted(interruption)
                raise
            run.begin_again()
        except BaseException as interruption:
            if run is not None:
                run.interrupted(interruption)
            raise
        else:
            if plan.asks_of_success:
                (run or Run(plan, loop.time, started)).succeeded()
            return result


@cache
def _asyncio() -> ModuleType:
    # Cached, because even an import that is done already costs a noticeable part of a call.
    import asyncio  # noqa: PLC0415  # most of the import, for who retries plain functions

    return asyncio
