"""So much in any interval, and no more."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable

from mist.parallel.errors import ParallelError
from mist.parallel.slowdown import Slowdown
from mist.parallel.window import Entry, Window

# The longest that is waited for in one go: timers of years overflow somewhere.
_LONGEST_WAIT = 3600.0
# The longest wait of a thread in one piece, in seconds. Ctrl-C ends none on Windows; elsewhere none
# that it came just too early for, or where the system gave the signal to another thread.
LOOK_SECONDS = 0.5
# How often those in the queue look whether the loop of the first of them is still open, in seconds.
_LOOK_AGAIN = 5.0


class Grant:
    """What was let through, and how much of the rate it took."""

    __slots__ = ("_began", "_entry", "_limiter", "cost")

    def __init__(self, limiter: RateLimiter, entry: Entry, cost: float) -> None:
        self._limiter = limiter
        self._entry = entry
        self._began = entry.when
        self.cost = cost

    def correct(self, cost: float) -> None:
        """Say what it really took, where that was a guess, such as the tokens of an answer.

        Less makes room at once; more is owed, and those who come after wait for it.

        Raises:
            ParallelError: `cost` is negative or not a number.
        """
        if not _is_duration(cost):
            raise ParallelError(f"cost must be 0 or more, got {cost!r}")
        by, self.cost = cost - self.cost, cost
        self._limiter.change(self._entry, by)

    def failed(self, error: BaseException) -> None:
        """Say what the call came to: an error whose `code` is `rate_limit` slows the limiter down.

        Its `retry_after`, if it is a number of seconds, is how long nothing is let through.
        """
        # Of whatever library the error is: neither a property that fails nor what is no number of
        # seconds must hide it.
        if _attribute(error, "code") != "rate_limit":
            return
        retry_after = _attribute(error, "retry_after")
        if not isinstance(retry_after, int | float) or not _is_duration(retry_after):
            retry_after = None
        self._limiter.slow_down(retry_after, began=self._began)


class RateLimiter:
    """Lets at most `rate` through in any window of `interval` seconds, first come, first served.

    Strict: there is no window, wherever it begins, with more in it. (A token bucket lets up to
    twice as much through: a full bucket, and what flows in meanwhile.) Tasks of any event loop
    and threads may share one. A forked child goes on with a rate of its own.

    Args:
        rate: how many, or how much of what `cost` counts, such as tokens.
        interval: seconds.
        clock: seconds that never go back.

    Raises:
        ParallelError: `rate` or `interval` is not a positive number.
    """

    def __init__(
        self,
        rate: float,
        interval: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        _want_positive("rate", rate)
        _want_positive("interval", interval)
        self.rate = rate
        self.interval = interval
        self._clock = clock
        self._window = Window(interval)
        self._slowdown = Slowdown(interval)
        self._queue: deque[_Waiter] = deque()
        # Reentrant, because the collector may close an abandoned coroutine, which then leaves
        # the queue, in any of the lines that hold the lock.
        self._lock = threading.RLock()
        _limiters.add(self)

    @property
    def present_rate(self) -> float:
        """What is let through now: `rate`, or less after complaints."""
        with self._lock:
            return self.rate * self._slowdown.share(self._clock())

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    def try_take(self, cost: float = 1) -> bool:
        """Take `cost` if it fits now and nobody waits."""
        self._want_cost(cost)
        with self._lock:
            return not self._queue and self._grant(cost) is not None

    async def wait(self, cost: float = 1) -> Grant:
        """Wait until `cost` fits, and take it; one whose wait is cancelled takes nothing.

        Raises:
            ParallelError: `cost` is not a positive number, or more than `rate`.
        """
        self._want_cost(cost)
        from asyncio import Event, get_running_loop  # noqa: PLC0415  # nothing else here needs it

        turn, loop = Event(), get_running_loop()
        waiter = _Waiter(cost, lambda: loop.call_soon_threadsafe(turn.set), loop.is_closed)
        try:
            while (delay := self._advance(waiter)) is not None:
                turn.clear()
                timer = loop.call_later(delay, turn.set)
                try:
                    await turn.wait()
                finally:
                    timer.cancel()
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.granted()

    def wait_sync(self, cost: float = 1) -> Grant:
        """Wait in this thread until `cost` fits, and take it; see `wait`."""
        from queue import Empty, SimpleQueue  # noqa: PLC0415  # only where a thread waits

        self._want_cost(cost)
        # Not an event: when Ctrl-C ends its wait, it may not have its lock back.
        turn: SimpleQueue[None] = SimpleQueue()
        waiter = _Waiter(cost, lambda: turn.put(None))
        try:
            while (delay := self._advance(waiter)) is not None:
                with contextlib.suppress(Empty):
                    turn.get(timeout=min(delay, LOOK_SECONDS))
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.granted()

    @contextlib.asynccontextmanager
    async def pacing(self, cost: float = 1) -> AsyncGenerator[Grant]:
        """Wait for a turn, run the block, and slow down if it raises a rate limit error.

        That is an exception whose `code` is `rate_limit`; its `retry_after`, in seconds, is how
        long nothing is let through. The exception is raised all the same.
        """
        grant = await self.wait(cost)
        try:
            yield grant
        except Exception as exc:
            grant.failed(exc)
            raise

    def slow_down(self, retry_after: float | None = None, *, began: float | None = None) -> None:
        """Let nothing through for a while, and after that half as much as before.

        It recovers by a twentieth of `rate` with each interval.

        Args:
            retry_after: seconds; one interval if None.
            began: when the call began that was told so, on this limiter's clock. Of several
                that had been let through before the first complaint, only the first one halves
                the rate.

        Raises:
            ParallelError: `retry_after` is negative or not a number.
        """
        if retry_after is not None and not _is_duration(retry_after):
            raise ParallelError(f"retry_after must be 0 or more seconds, got {retry_after!r}")
        with self._lock:
            now = self._clock()
            self._slowdown.complain(now, now if began is None else began, retry_after)

    def __repr__(self) -> str:
        return f"<RateLimiter {self.rate:g} per {self.interval:g} s, {self.waiting} waiting>"

    def change(self, entry: Entry, by: float) -> None:
        """Change what was taken; a grant's `correct` calls this."""
        with self._lock:
            self._window.change(entry, by)
            self._wake_first()

    def _after_fork(self) -> None:
        """Go on in a forked child, without the threads that had the lock or were waiting."""
        self._lock = threading.RLock()
        self._queue.clear()

    def _advance(self, waiter: _Waiter) -> float | None:
        """Grant the waiter its wish, or tell how long to wait, unless it is woken before."""
        with self._lock:
            if not waiter.queued:
                waiter.queued = True
                self._queue.append(waiter)
            while self._queue[0].is_gone():
                self._queue.popleft()
            if self._queue[0] is not waiter:
                return _LOOK_AGAIN
            waiter.grant = self._grant(waiter.cost)
            if waiter.grant is None:
                return self._delay(waiter.cost)
            self._queue.popleft()
            self._wake_first()
            return None

    def _grant(self, cost: float) -> Grant | None:
        now = self._clock()
        limit = self.rate * self._slowdown.share(now)
        if now < self._slowdown.paused_until or not self._window.fits(now, cost, limit):
            return None
        return Grant(self, self._window.take(now, cost), cost)

    def _delay(self, cost: float) -> float:
        now = self._clock()
        limit = self.rate * self._slowdown.share(now)
        free = max(self._window.free_at(now, cost, limit), self._slowdown.paused_until)
        # Strictly after the entry's last moment; the smallest step that every clock can tell.
        return min(max(free - now, 0.0) + max(1e-6, abs(free) * 1e-15), _LONGEST_WAIT)

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter.grant is not None:
                waiter.grant.correct(0)
            with contextlib.suppress(ValueError):  # it is not in there any more, or not yet
                self._queue.remove(waiter)
            self._wake_first()

    def _wake_first(self) -> None:
        while self._queue and self._queue[0].is_gone():
            self._queue.popleft()
        if self._queue:
            with contextlib.suppress(RuntimeError):  # its loop is closed in this very moment
                self._queue[0].wake()

    def _want_cost(self, cost: float) -> None:
        _want_positive("cost", cost)
        if cost > self.rate:
            raise ParallelError(
                f"cost {cost:g} never fits into a rate of {self.rate:g} per {self.interval:g} s"
            )


_limiters: weakref.WeakSet[RateLimiter] = weakref.WeakSet()


def _after_fork() -> None:
    for limiter in tuple(_limiters):
        limiter._after_fork()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Waiter:
    __slots__ = ("cost", "grant", "is_gone", "queued", "wake")

    def __init__(
        self, cost: float, wake: Callable[[], object], is_gone: Callable[[], bool] = lambda: False
    ) -> None:
        self.cost = cost
        self.wake = wake
        self.is_gone = is_gone
        self.grant: Grant | None = None
        self.queued = False

    def granted(self) -> Grant:
        assert self.grant is not None  # noqa: S101  # its turn has come
        return self.grant


def _attribute(error: BaseException, name: str) -> object:
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001  # see its callers
        return None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except (TypeError, OverflowError):  # text, or an integer that no float can hold
        return False


def _is_duration(seconds: float) -> bool:
    return _is_finite(seconds) and seconds >= 0


def _want_positive(name: str, value: float) -> None:
    if not _is_finite(value) or value <= 0:
        raise ParallelError(f"{name} must be a positive number, got {value!r}")
