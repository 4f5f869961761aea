"""A bound on how many things are done at a time."""

from __future__ import annotations

from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mist.resource.errors import ResourceError
from mist.resource.queue import FairQueue

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
F = TypeVar("F", bound="asyncio.Future[Any]")


class Limiter:
    """At most `max` slots at a time, given out in the order in which they were asked for.

    `async with limiter:` holds a slot for a block, `with limiter:` does in a thread, and `go`
    for as long as a task runs. Tasks of any event loop and threads may share one limiter.

    Args:
        name: for people; in errors and in a monitor's status.
        max: how many slots there are.

    Raises:
        ResourceError: `max` is not an integer of 1 or more.
    """

    def __init__(self, name: str, max: int) -> None:  # noqa: A002  # the contract's name
        _want_slots(name, max)
        self._name = name
        self._queue = FairQueue(max)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starts: set[asyncio.Future[None]] = set()  # of tasks that wait for their slots
        self._closing: list[asyncio.AbstractEventLoop] = []

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def max(self) -> int:
        """How many slots there are."""
        return self._queue.limit

    @property
    def active(self) -> int:
        """How many slots are taken."""
        return self._queue.taken

    @property
    def total(self) -> int:
        """How often a slot has been taken so far."""
        return self._queue.grants

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return self._queue.waiting

    async def acquire(self) -> None:
        """Wait for a slot and take it; one whose wait is cancelled has none."""
        await self._queue.take(1)

    def acquire_sync(self, timeout: float | None = None) -> bool:
        """Wait for a slot in this thread.

        Args:
            timeout: seconds to wait at most; None waits for ever.

        Returns:
            Whether there is one now; False only after the timeout.
        """
        return self._queue.take_sync(1, timeout)

    def try_acquire(self) -> bool:
        """Take a slot if one is free and nobody waits for it."""
        return self._queue.try_take(1)

    def release(self) -> None:
        """Give a slot back, from any thread.

        Raises:
            ResourceError: None is taken.
        """
        if not self._queue.give_back(1):
            raise ResourceError(
                f"limiter {self._name!r}: released more often than acquired;"
                " `async with limiter:` gives each slot back exactly once"
            )

    async def go(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Wait for a slot, then run a coroutine as a task that holds it until it ends.

        The limiter keeps the task; `drain` and `aclose` wait for all of them. If the wait for
        the slot is cancelled, the coroutine is closed without having run.

        Raises:
            ResourceError: `coro` is not a coroutine.
        """
        from asyncio import get_running_loop  # noqa: PLC0415  # see FairQueue

        if not isinstance(coro, Coroutine):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
            raise ResourceError(
                f"limiter {self._name!r}: go runs a coroutine, got {coro!r}; call the function"
            )
        loop = get_running_loop()
        start: asyncio.Future[None] = loop.create_future()
        self._starts.add(start)
        try:
            await self.acquire()
        except BaseException:
            coro.close()
            raise
        finally:
            self._starts.discard(start)
            start.set_result(None)
        try:
            task = loop.create_task(coro)
        except BaseException:
            # An eager task may raise SystemExit from here.
            self.release()
            coro.close()
            raise
        self._tasks.add(task)
        task.add_done_callback(self._end)
        if loop in self._closing:
            task.cancel()
        return task

    async def drain(self) -> None:
        """Wait until every task of `go` is over, those that still wait for a slot included.

        Their errors are their own: await the task that `go` returned to hear of them. Where
        several event loops share the limiter, this is about the tasks of the running one. In one
        of these tasks it is about the others.
        """
        from asyncio import wait  # noqa: PLC0415  # see FairQueue

        while unfinished := [*self._here(self._starts), *self._here(self._tasks)]:
            await wait(unfinished)

    async def aclose(self) -> None:
        """Cancel every task of `go`, as soon as it has its slot, and wait as `drain` does."""
        from asyncio import get_running_loop  # noqa: PLC0415  # see FairQueue

        loop = get_running_loop()
        self._closing.append(loop)
        try:
            for task in self._here(self._tasks):
                task.cancel()
            await self.drain()
        finally:
            self._closing.remove(loop)

    async def __aenter__(self) -> Self:
        await self._queue.take(1)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __enter__(self) -> Self:
        self._queue.take_sync(1, None)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Limiter {self._name!r}: {self.active} of {self.max}, {self.waiting} waiting>"

    def _here(self, futures: set[F]) -> list[F]:
        """Return those of the running event loop, without the task that asks."""
        from asyncio import current_task, get_running_loop  # noqa: PLC0415  # see FairQueue

        loop, this = get_running_loop(), current_task()
        return [each for each in tuple(futures) if each.get_loop() is loop and each is not this]

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self.release()


def _want_slots(name: str, slots: int) -> None:
    # A bool is an int to Python, but nobody means it.
    if not isinstance(slots, int) or isinstance(slots, bool) or slots < 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise ResourceError(f"limiter {name!r}: max must be an integer of 1 or more, got {slots!r}")
