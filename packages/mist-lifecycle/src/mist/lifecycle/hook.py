"""A function that runs at the end."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections.abc import Callable

from mist.lifecycle.stack import task_stack, thread_stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Hook:
    """A function that runs at the end.

    Args:
        fn: called without arguments.
        context: the context variables it sees.
    """

    def __init__(self, fn: Callable[[], Any], context: contextvars.Context) -> None:
        named = getattr(fn, "func", fn)  # what a functools.partial calls
        self.name: str = getattr(named, "__qualname__", repr(fn)).rpartition("<locals>.")[2]
        self._fn = fn
        self._context = context
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[BaseException | None] | None = None

    def start(self) -> asyncio.Task[BaseException | None]:
        """Begin; the task returns what the function raised, None if nothing."""
        self._task = asyncio.get_running_loop().create_task(
            self._call(), name=f"hook {self.name}", context=self._context
        )
        return self._task

    def stack(self) -> tuple[str, ...]:
        """Where it stands."""
        if self._thread is not None and self._thread.is_alive():
            return thread_stack(self._thread.ident)
        return task_stack(self._task) if self._task is not None else ()

    async def _call(self) -> BaseException | None:
        try:
            if _is_async(self._fn):
                await self._fn()
            else:
                result = await self._call_in_thread()
                if inspect.isawaitable(result):
                    await result
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as exc:  # noqa: BLE001  # SystemExit too, or it would end the loop
            return exc
        return None

    async def _call_in_thread(self) -> Any:
        outcome: asyncio.Future[tuple[Any, BaseException | None]]
        loop = asyncio.get_running_loop()
        outcome = loop.create_future()
        context = contextvars.copy_context()

        def call() -> None:
            settled: tuple[Any, BaseException | None]
            try:
                settled = (context.run(self._fn), None)
            except BaseException as exc:  # noqa: BLE001  # the task raises it
                settled = (None, exc)
            with contextlib.suppress(RuntimeError):  # a closed loop: nobody waits any more
                loop.call_soon_threadsafe(settle, settled)

        def settle(settled: tuple[Any, BaseException | None]) -> None:
            if not outcome.done():
                outcome.set_result(settled)

        # Not the loop's executor: its threads may all be stuck, and would keep the interpreter
        # from exiting if this one is.
        self._thread = threading.Thread(target=call, name=f"hook {self.name}", daemon=True)
        self._thread.start()
        result, error = await outcome
        if error is not None:
            raise error
        return result


def _is_async(fn: Callable[[], Any]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(
        getattr(fn, "__call__", None)  # noqa: B004  # an object whose __call__ is async
    )
