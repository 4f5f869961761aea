"""Retrying as a decorator, for every kind of function."""

from __future__ import annotations

from functools import wraps

from mist.errors import is_retryable
from mist.retry.awaiting import persist
from mist.retry.calling import persist_sync
from mist.retry.plan import Plan
from mist.retry.setting import InvalidSetting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, Unpack

    from mist.retry.plan import Classifier, Options
    from mist.retry.policy import Policy

    F = TypeVar("F", bound=Callable[..., Any])


def retrying(
    policy: Policy, *, classifier: Classifier = is_retryable, **options: Unpack[Options]
) -> Callable[[F], F]:
    """Decorate a function, a coroutine function or an (async) generator function with retries.

    A generator is retried while it has not given its first item. After that an error is raised
    as it is: to begin again would repeat what has been used already.

    Args:
        policy: how often, and after what waits.
        classifier: as for `do_with_classifier`; by default what `do_auto` retries, and
            `Exception` is what `do` does.
        options: as for `do`; a `budget` is then shared by all calls.

    Raises:
        InvalidSetting: an argument makes no sense, or what is decorated is no function.
    """
    plan = Plan(policy, classifier, options)

    def decorate(fn: F) -> F:
        if not callable(fn):
            raise InvalidSetting(
                f"only functions can be retried, got {fn!r};"
                " put @retrying beneath @classmethod, @staticmethod and @property"
            )
        return wraps(fn)(_retried(plan, fn))  # type: ignore[return-value]  # of fn's own kind

    return decorate


def _retried(plan: Plan, fn: Any) -> Callable[..., Any]:
    """A function of the same kind as `fn`, so that whoever asks which it is hears the same."""
    import inspect  # noqa: PLC0415  # most of what this package would cost without decorators

    # An instance is of the kind that its class's `__call__` is.
    kinds = (fn, type(fn).__call__)
    if any(map(inspect.isasyncgenfunction, kinds)):
        from mist.retry.generators import retry_async_generator  # noqa: PLC0415  # few have one

        return retry_async_generator(plan, fn)
    if any(map(inspect.isgeneratorfunction, kinds)):
        from mist.retry.generators import retry_generator  # noqa: PLC0415  # as above

        return retry_generator(plan, fn)
    if any(map(inspect.iscoroutinefunction, kinds)):

        async def retried_coroutine(*args: Any, **kwargs: Any) -> Any:
            return await persist(plan, fn, *args, **kwargs)

        return retried_coroutine

    def retried(*args: Any, **kwargs: Any) -> Any:
        return persist_sync(plan, fn, *args, **kwargs)

    return retried
