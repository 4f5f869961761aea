"""One run of a check: one event loop does it, any number of probes wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from typing import Literal, NamedTuple, TypeVar, cast

from mist.health.problem import Problem, own_problem, raised_problem, returned_problem

T = TypeVar("T")

# A timer that fires this much too late, in seconds, tells of a time when nothing could go on.
_STANDSTILL = 0.1


End = Literal["finished", "timed out", "cancelled"]


class Outcome(NamedTuple):
    """How a run ended, as far as probes are concerned."""

    problem: Problem | None
    end: End
    began: float
    ended: float
    """Readings of the handler's clock, in seconds."""
    timestamp: float
    """When it ended, in seconds since the epoch."""


class _Promise(Future[T]):
    """A future that is not cancelled when somebody who waits for it is."""

    def cancel(self) -> bool:
        """Refuse."""
        return False


class Run:
    """One run of a check, from its start to the end of its work.

    Its outcome is settled once: by the work, or by the timeout when that is earlier. Coroutines
    are cancelled then. A thread cannot be: it goes on, and `working` tells.

    Args:
        name: the check's name, for the task and the thread.
        fn: the check.
        timeout: seconds.
        clock: returns seconds; only differences count.
    """

    def __init__(
        self, name: str, fn: Callable[[], object], timeout: float, clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._fn = fn
        self._timeout = timeout
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._timed_out = own_problem(f"timed out after {timeout:g}s")
        self._outcome = _Promise[Outcome]()
        self.began = clock()

    def start(self) -> None:
        """Begin the work, in the running event loop."""
        due = self._loop.time() + self._timeout
        timer = self._loop.call_at(due, self._expire_at, due)
        self._task = self._loop.create_task(self._work(), name=f"mist.health {self._name}")
        self._task.add_done_callback(lambda _: timer.cancel())

    @property
    def working(self) -> bool:
        """Whether the work goes on, be it past its timeout.

        It does not where the event loop that did it has ended.
        """
        if self.settled is not None and self.settled.end == "finished":
            return False
        if self._task is None or (self._thread is not None and self._thread.is_alive()):
            return True
        return not self._task.done() and self._loop.is_running()

    @property
    def settled(self) -> Outcome | None:
        """The outcome, if there is one yet."""
        return self._outcome.result() if self._outcome.done() else None

    async def outcome(self) -> Outcome:
        """Wait for the outcome, in any event loop; being cancelled does nothing to the run."""
        outcome = asyncio.wrap_future(self._outcome)
        if asyncio.get_running_loop() is self._loop:
            return await outcome
        try:
            # The run's own timer never fires if its event loop has ended.
            async with asyncio.timeout(self.began + self._timeout - self._clock()):
                return await outcome
        except TimeoutError:
            self._settle(self._timed_out, "timed out")
            return self._outcome.result()

    def _expire_at(self, due: float) -> None:
        """Expire, unless the process was stopped or its event loop stood still until now.

        The check could not go on meanwhile, or not be heard; once, it has that time in addition.
        """
        late = self._loop.time() - due
        if late < _STANDSTILL:
            self._expire()
        elif self.settled is None and self._task is not None:
            timer = self._loop.call_later(min(late, self._timeout), self._expire)
            self._task.add_done_callback(lambda _: timer.cancel())

    def _expire(self) -> None:
        self._settle(self._timed_out, "timed out")
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            problem = returned_problem(await self._call())
        except asyncio.CancelledError:
            self._settle(own_problem("cancelled"), "cancelled")
            raise
        except BaseException as exc:  # noqa: BLE001  # SystemExit would end the event loop
            problem = raised_problem(exc)
        self._settle(problem, "finished")

    async def _call(self) -> object:
        if is_async(self._fn):
            return await cast("Callable[[], Awaitable[object]]", self._fn)()
        returned = await self._in_thread()
        return await returned if inspect.isawaitable(returned) else returned

    async def _in_thread(self) -> object:
        """Return what the check returns or raises, from a thread that does not delay the exit.

        A thread of its own, since one that hangs would keep its place in a pool from others.
        """
        done = _Promise[object]()

        def work() -> None:
            returned: object
            try:
                returned = self._fn()
                unfinished = inspect.isawaitable(returned)
            except BaseException as exc:  # noqa: BLE001  # of a thread nobody else would hear
                returned, unfinished = exc, False
            if not unfinished:
                # At once: the event loop may be too busy to hear of it before the timeout.
                self._settle(returned_problem(returned), "finished")
            elif self._outcome.done() and inspect.iscoroutine(returned):
                returned.close()  # too late to be awaited
            done.set_result(returned)

        self._thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(work,),
            name=f"mist.health {self._name}",
            daemon=True,
        )
        self._thread.start()
        return await asyncio.wrap_future(done)

    def _settle(self, problem: Problem | None, end: End) -> None:
        outcome = Outcome(problem, end, self.began, self._clock(), time.time())
        with contextlib.suppress(InvalidStateError):  # the other way to end was quicker
            self._outcome.set_result(outcome)


def is_async(fn: Callable[[], object]) -> bool:
    """Tell whether calling it does no more than make a coroutine."""
    while isinstance(fn, functools.partial):
        fn = cast("functools.partial[object]", fn).func
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)
