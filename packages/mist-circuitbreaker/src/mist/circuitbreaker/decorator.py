"""A breaker around a function of any kind.

Imported by the first decoration only: what it needs takes longer to import than all the rest.
"""

from __future__ import annotations

import inspect
from contextlib import aclosing
from functools import partial, wraps

from mist.circuitbreaker.errors import WrongFunctionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any, ParamSpec, TypeVar

    from mist.circuitbreaker.attempt import Attempt
    from mist.circuitbreaker.breaker import Breaker

    P = ParamSpec("P")
    T = TypeVar("T")


def protected(
    breaker: Breaker, attempt: Callable[[], Attempt], fn: Callable[P, T]
) -> Callable[P, T]:
    """Wrap a function of any kind, so that each call of it is a call of the circuit.

    A generator takes an attempt of its own with it, and not a block of the breaker: it may be
    closed in another context than the one that began it.
    """
    if not callable(fn):
        raise WrongFunctionError(
            f"only functions can be protected, got {fn!r};"
            " put @protect beneath @classmethod, @staticmethod and @property"
        )
    kinds = (fn, type(fn).__call__)  # an object may be called as well, and be any of these
    if any(map(inspect.isasyncgenfunction, kinds)):
        wrapper = _async_generator(attempt, fn)
    elif any(map(inspect.iscoroutinefunction, kinds)):
        wrapper = _coroutine(breaker, fn)
    elif any(map(inspect.isgeneratorfunction, kinds)):
        wrapper = _generator(attempt, fn)
    else:
        wrapper = _function(breaker, fn)
    return wraps(fn)(wrapper)


def _async_generator(attempt: Callable[[], Attempt], fn: Callable[..., Any]) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with attempt():
            async with aclosing(fn(*args, **kwargs)) as steps:
                advance, argument = steps.asend, None
                while True:
                    try:
                        item = await advance(argument)
                    except StopAsyncIteration:
                        return
                    finally:
                        argument = None  # an error that holds this frame must not be held by it
                    try:
                        advance, argument = steps.asend, (yield item)
                    except BaseException as exc:  # noqa: BLE001  # it is the generator's to handle
                        advance, argument = steps.athrow, exc

    return wrapper


def _coroutine(breaker: Breaker, fn: Callable[..., Any]) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await breaker.do(partial(fn, *args, **kwargs))

    return wrapper


def _generator(attempt: Callable[[], Attempt], fn: Callable[..., Any]) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with attempt():
            items: Generator[Any, Any, Any] = fn(*args, **kwargs)
            return (yield from items)

    return wrapper


def _function(breaker: Breaker, fn: Callable[..., Any]) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return breaker.do_sync(partial(fn, *args, **kwargs))

    return wrapper
