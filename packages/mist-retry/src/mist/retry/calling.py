"""Retrying what is called."""

from __future__ import annotations

import time
from types import CoroutineType

from mist.errors import is_retryable
from mist.retry.nesting import Scope
from mist.retry.plan import Plan
from mist.retry.run import Run
from mist.retry.setting import InvalidSetting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar, Unpack

    from mist.retry.plan import Classifier, Options
    from mist.retry.policy import Policy

    P = ParamSpec("P")
    T = TypeVar("T")


def do_sync(policy: Policy, fn: Callable[[], T], **options: Unpack[Options]) -> T:
    """Call `fn()` until it succeeds, whatever error it raises, as often as the policy allows.

    The blocking twin of `do`, whose only deadline is the option `within`.

    Args:
        policy: how often, and after what waits.
        fn: makes one attempt.
        options: as for `do`.

    Raises:
        InvalidSetting: an argument makes no sense.
    """
    return persist_sync(Plan(policy, Exception, options), fn)


def do_auto_sync(policy: Policy, fn: Callable[[], T], **options: Unpack[Options]) -> T:
    """As `do_sync`, but only for errors that `mist.errors.is_retryable` holds to be transient.

    Args:
        policy: how often, and after what waits.
        fn: makes one attempt.
        options: as for `do`.

    Raises:
        InvalidSetting: an argument makes no sense.
    """
    return persist_sync(Plan(policy, is_retryable, options), fn)


def do_with_classifier_sync(
    policy: Policy, classifier: Classifier, fn: Callable[[], T], **options: Unpack[Options]
) -> T:
    """As `do_sync`, but only for the errors that `classifier` picks.

    Args:
        policy: how often, and after what waits.
        classifier: as for `do_with_classifier`.
        fn: makes one attempt.
        options: as for `do`.

    Raises:
        InvalidSetting: an argument makes no sense.
    """
    return persist_sync(Plan(policy, classifier, options), fn)


def persist_sync(plan: Plan, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `fn(...)` until it succeeds or the plan has it give up."""
    started = time.monotonic()
    run: Run | None = None
    while True:
        scope = Scope(plan.policy.max_attempts)
        try:
            try:
                result = fn(*args, **kwargs)
            finally:
                scope.end()
        except Exception as error:
            run = run or Run(plan, time.monotonic, started)
            wait = run.failed(error)
            if wait is None:
                raise
            try:
                if wait:
                    time.sleep(wait)
            except BaseException as interruption:
                run.interrupted(interruption)
                raise
            run.begin_again()
        except BaseException as interruption:
            if run is not None:
                run.interrupted(interruption)
            raise
        else:
            if isinstance(result, CoroutineType):
                result.close()
                raise InvalidSetting(
                    "fn returned a coroutine:"
                    " coroutine functions have do, do_auto, do_with_classifier"
                )
            if plan.asks_of_success:
                (run or Run(plan, time.monotonic, started)).succeeded()
            return result
