"""A breaker around a function of any kind.

Imported by the first decoration only: what it needs takes longer to import than all the rest.
"""

from __future__ import annotations

import inspect
from contextlib import aclosing
from functools import partial, wraps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any, ParamSpec, TypeVar

    from mist.circuitbreaker.breaker import Breaker

    P = ParamSpec("P")
    T = TypeVar("T")


def protected(breaker: Breaker, fn: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function of any kind, so that each call of it is a call of the circuit."""
    if inspect.isasyncgenfunction(fn):
        wrapper = _async_generator(breaker, fn)
    elif inspect.iscoroutinefunction(fn):
        wrapper = _coroutine(breaker, fn)
    elif inspect.isgeneratorfunction(fn):
        wrapper = _generator(breaker, fn)
    else:
        wrapper = _function(breaker, fn)
    return wraps(fn)(wrapper)


def _async_generator(breaker: Breaker, fn: Callable[..., Any]) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with breaker:
            async with aclosing(fn(*args, **kwargs)) as items:
                async for item in items:
                    yield item

    return wrapper


def _coroutine(breaker: Breaker, fn: Callable[..., Any]) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await breaker.do(partial(fn, *args, **kwargs))

    return wrapper


def _generator(breaker: Breaker, fn: Callable[..., Any]) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with breaker:
            items: Generator[Any, Any, Any] = fn(*args, **kwargs)
            return (yield from items)

    return wrapper


def _function(breaker: Breaker, fn: Callable[..., Any]) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return breaker.do_sync(partial(fn, *args, **kwargs))

    return wrapper
