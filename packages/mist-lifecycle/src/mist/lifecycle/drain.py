"""Work in flight, which a shutdown lets finish."""

from __future__ import annotations

import os

from mist.lifecycle.errors import LifecycleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any, TypeVar

    T = TypeVar("T")


class Work:
    """Something in flight, and who is at it.

    Args:
        name: for people.
        task: the task that does it, where it is one.
        thread: the thread that does it, where it is no task.
    """

    __slots__ = ("count", "name", "task", "thread")

    def __init__(
        self, name: str, task: asyncio.Task[Any] | None = None, thread: int | None = None
    ) -> None:
        self.name = name
        self.task = task
        self.thread = thread
        self.count = 0


class InFlight:
    """All that is in flight in one run. What a forked child does is no part of its parent's run.

    Args:
        on_idle: called whenever nothing is left, from any thread.
    """

    def __init__(self, on_idle: Callable[[], object]) -> None:
        import threading  # noqa: PLC0415  # loaded already where there is a run

        self.over = False
        self.spawned: set[asyncio.Task[Any]] = set()
        self._on_idle = on_idle
        self._pid = os.getpid()
        # A signal handler asks who is in flight, maybe while its own thread is in here.
        self._lock = threading.RLock()
        self._work: dict[Work, None] = {}

    @property
    def is_inherited(self) -> bool:
        """Whether the run is another process's, which this one was forked from."""
        return os.getpid() != self._pid

    @property
    def busy(self) -> bool:
        """Whether anything is in flight."""
        return bool(self._work)

    def work(self) -> list[Work]:
        """What is in flight, the oldest first."""
        with self._lock:
            return list(self._work)

    def begin(self, work: Work, count: int = 1) -> None:
        """Count work."""
        if self.is_inherited:
            raise LifecycleError(
                f"{work.name}: the run is that of the process which this one was forked from, and"
                " nothing here waits for its work; start a run of its own"
            )
        with self._lock:
            if self.over:
                raise LifecycleError(f"{work.name}: the run is over, nothing waits for its work")
            work.count += count
            self._work[work] = None

    def end(self, work: Work) -> bool:
        """Count one piece of work less; False if there is none."""
        if self.is_inherited:
            return True  # begun before the fork; and who had the lock then has it for good
        with self._lock:
            if work.count == 0:
                return False
            work.count -= 1
            if work.count == 0:
                del self._work[work]
            idle = not self._work
        if idle:
            self._on_idle()
        return True


class DrainGroup:
    """Counts work in flight; a shutdown waits for it before the first hook runs.

    `drain_group()` makes one. Tasks and threads may share it.
    """

    def __init__(self, name: str, in_flight: InFlight) -> None:
        self._name = name
        self._in_flight = in_flight
        self._added = Work(f"work added to {name}")

    def add(self, count: int = 1) -> None:
        """Count pieces of work, for each of which `done` is called later.

        A shutdown that has begun counts them as well, as long as it has not waited in vain.

        Raises:
            LifecycleError: `count` is not an integer of 1 or more, the run is over, or it is that
                of the process which this one was forked from.
        """
        # A bool is an int to Python, but nobody means it.
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise LifecycleError(f"{self._name}: cannot add {count!r}; count must be 1 or more")
        self._in_flight.begin(self._added, count)

    def done(self) -> None:
        """Say that one piece of added work is over.

        Raises:
            LifecycleError: nothing that was added is left, unless in a forked child, where the
                work is its parent's.
        """
        if not self._in_flight.end(self._added):
            raise LifecycleError(f"{self._name}: done() was called more often than add()")

    def track(self, name: str) -> Tracked:
        """Count a block as work: `async with group.track("job 7"):`, or `with` in a thread.

        Args:
            name: what a report calls it, should it not end in time.
        """
        return Tracked(name, self._in_flight)

    def spawn(self, coro: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        """Run a coroutine as a task that counts as work until it ends.

        The group keeps the task. One that is not over in time is cancelled. Its error is its own:
        await the task to hear of it.

        Args:
            coro: the coroutine.
            name: the task's name, by which a report calls it.

        Raises:
            LifecycleError: `coro` is not a coroutine; or the run is over, or another process's,
                and the coroutine is closed.
            RuntimeError: no event loop runs in this thread; the coroutine is closed.
        """
        import asyncio  # noqa: PLC0415  # loaded already where there is a run

        if not asyncio.iscoroutine(coro):
            raise LifecycleError(
                f"{self._name}: spawn runs a coroutine, got {coro!r}; call the function"
            )
        in_flight = self._in_flight
        work = Work(name or str(getattr(coro, "__qualname__", coro)))
        try:
            in_flight.begin(work)
            work.task = task = asyncio.get_running_loop().create_task(coro, name=name)
        except BaseException:
            in_flight.end(work)  # if it was counted: nothing else would ever end it
            coro.close()
            raise
        in_flight.spawned.add(task)

        def over(task: asyncio.Task[T]) -> None:
            in_flight.spawned.discard(task)
            in_flight.end(work)

        task.add_done_callback(over)
        return task

    def __repr__(self) -> str:
        return f"<DrainGroup {self._name!r}>"


class Tracked:
    """A block that counts as work."""

    __slots__ = ("_in_flight", "_work")

    def __init__(self, name: str, in_flight: InFlight) -> None:
        self._work = Work(name)
        self._in_flight = in_flight

    async def __aenter__(self) -> None:
        import asyncio  # noqa: PLC0415  # loaded already where there is a run

        self._work.task = asyncio.current_task()
        self._in_flight.begin(self._work)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._in_flight.end(self._work)

    def __enter__(self) -> None:
        import threading  # noqa: PLC0415  # loaded already where there is a run

        self._work.thread = threading.get_ident()
        self._in_flight.begin(self._work)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._in_flight.end(self._work)
