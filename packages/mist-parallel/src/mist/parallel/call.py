"""Calling a function of whatever kind from the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mist.parallel.rate_limiter import RateLimiter


class Caller:
    """Turns a function into coroutines, one for each input.

    What is not a coroutine function runs in threads of the caller's own, as many as it is told;
    an awaitable that comes out of one is awaited in the event loop.
    """

    def __init__(
        self, fn: Callable[[Any], Any], workers: int, rate: RateLimiter | None = None
    ) -> None:
        self._fn = fn
        self._rate = rate
        self._is_async = _is_async(fn)
        self._threads = None if self._is_async else ThreadPoolExecutor(workers, "mist.parallel")
        self.call: Callable[[Any], Coroutine[Any, Any, Any]] = (
            self._paced if rate is not None else fn if self._is_async else self._in_thread
        )

    def close(self) -> None:
        """Let go of the threads; those that still work end by themselves."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _paced(self, input_: Any) -> Any:
        assert self._rate is not None  # noqa: S101  # chosen for it
        async with self._rate.pacing():
            return await (self._fn(input_) if self._is_async else self._in_thread(input_))

    async def _in_thread(self, input_: Any) -> Any:
        # As asyncio.to_thread does it, whose threads are too few and everybody's.
        run = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._threads, lambda: run(self._fn, input_))
        if inspect.isawaitable(made):
            awaited: Awaitable[Any] = made
            return await awaited
        return made


def _is_async(fn: Callable[..., Any]) -> bool:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)
