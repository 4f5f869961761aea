"""How the one description of a step waits: by blocking its thread, or by awaiting.

The code that runs a step is written once, as a coroutine that does all its waiting through a
driver. Under `Blocking` such a coroutine never suspends, so `run` can carry it through in one go.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mist.checkpoint.errors import InvalidValue
from mist.checkpoint.latch import Latch

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Driver(Protocol):
    """The four ways in which a step waits, and the event loop it does that in, if any."""

    @property
    def loop(self) -> "asyncio.AbstractEventLoop | None":
        """The event loop that is running, None where the thread is blocked instead."""
        ...

    async def call(self, fn: Callable[[], Any]) -> Any:
        """Run what the step is to do, and return its result."""
        ...

    async def off_loop(self, fn: Callable[[], T]) -> T:
        """Run a function that blocks."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def wait(self, latch: Latch) -> None:
        """Wait for what happens elsewhere."""
        ...


class Blocking:
    """Waits by blocking the thread."""

    loop = None

    async def call(self, fn: Callable[[], Any]) -> Any:
        """Call a plain function."""
        value = fn()
        if hasattr(value, "__await__"):
            if hasattr(value, "close"):
                value.close()
            raise InvalidValue(
                "the function of a `_sync` step returned an awaitable: give it a plain function, "
                "or await `step` or `step_retry`"
            )
        return value

    async def off_loop(self, fn: Callable[[], T]) -> T:
        """Call it: there is no loop to keep free."""
        return fn()

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)  # noqa: ASYNC251  # no event loop runs this

    async def wait(self, latch: Latch) -> None:
        """Block until it opens."""
        latch.block()


class Awaiting:
    """Waits by suspending the task."""

    @property
    def loop(self) -> "asyncio.AbstractEventLoop":
        """The event loop of the task."""
        import asyncio  # noqa: PLC0415  # loaded already where there is a task

        return asyncio.get_running_loop()

    async def call(self, fn: Callable[[], Any]) -> Any:
        """Await what the function returns."""
        awaitable = fn()
        if not hasattr(awaitable, "__await__"):
            raise InvalidValue("a function for a step returns an awaitable; there is `step_sync`")
        return await awaitable

    async def off_loop(self, fn: Callable[[], T]) -> T:
        """Call it in a thread, and wait for the thread's end even where cancelled meanwhile.

        Not one of the loop's threads, which may all be waiting for the step that this is part of.
        """
        import asyncio  # noqa: PLC0415  # loaded already where there is a task
        from concurrent.futures import Future  # noqa: PLC0415  # as above

        outcome: Future[T] = Future()

        def call() -> None:
            try:
                outcome.set_result(fn())
            except BaseException as exc:  # noqa: BLE001  # raised where it is waited for
                outcome.set_exception(exc)

        threading.Thread(target=call, name="mist-checkpoint off the loop").start()
        future = asyncio.wrap_future(outcome)
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError as exc:
                cancelled = exc
        if cancelled is not None:
            future.exception()
            raise cancelled
        return future.result()

    async def sleep(self, seconds: float) -> None:
        """Sleep in this task only."""
        import asyncio  # noqa: PLC0415  # loaded already where there is a task

        await asyncio.sleep(seconds)

    async def wait(self, latch: Latch) -> None:
        """Suspend until it opens."""
        await latch.wait()


BLOCKING, AWAITING = Blocking(), Awaiting()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Carry a coroutine through that waits by `Blocking` only."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("a blocking step was suspended")


def running_loop() -> "asyncio.AbstractEventLoop | None":
    """Return the event loop that runs in this thread; without asyncio there can be none."""
    if "asyncio" in sys.modules:
        import asyncio  # noqa: PLC0415  # loaded already

        with contextlib.suppress(RuntimeError):
            return asyncio.get_running_loop()
    return None
