"""So much in any interval, and no more."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from mist.parallel.errors import ParallelError
from mist.parallel.slowdown import Slowdown
from mist.parallel.window import Entry, Window

# The longest that is waited for in one go: timers of years overflow somewhere.
_LONGEST_WAIT = 3600.0


class Grant:
    """What was let through, and how much of the rate it took."""

    __slots__ = ("_change", "_entry", "cost")

    def __init__(self, entry: Entry, cost: float, change: Callable[[Entry, float], None]) -> None:
        self._entry = entry
        self._change = change
        self.cost = cost

    def correct(self, cost: float) -> None:
        """Say what it really took, where that was a guess, such as the tokens of an answer.

        Less makes room at once; more is owed, and those who come after wait for it.

        Raises:
            ParallelError: `cost` is negative or not a number.
        """
        if not (cost >= 0 and math.isfinite(cost)):
            raise ParallelError(f"cost must be 0 or more, got {cost!r}")
        by, self.cost = cost - self.cost, cost
        self._change(self._entry, by)


class RateLimiter:
    """Lets at most `rate` through in any window of `interval` seconds, first come, first served.

    Strict: there is no window, wherever it begins, with more in it. (A token bucket lets up to
    twice as much through: a full bucket, and what flows in meanwhile.) Tasks of any event loop
    and threads may share one.

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
        turn = asyncio.Event()
        loop = asyncio.get_running_loop()
        waiter = _Waiter(cost, lambda: loop.call_soon_threadsafe(turn.set))
        try:
            while (delay := self._advance(waiter)) is not None:
                turn.clear()
                timer = loop.call_later(delay, turn.set) if math.isfinite(delay) else None
                try:
                    await turn.wait()
                finally:
                    if timer is not None:
                        timer.cancel()
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.granted()

    def wait_sync(self, cost: float = 1) -> Grant:
        """Wait in this thread until `cost` fits, and take it; see `wait`."""
        self._want_cost(cost)
        turn = threading.Event()
        waiter = _Waiter(cost, turn.set)
        try:
            while (delay := self._advance(waiter)) is not None:
                turn.wait(delay if math.isfinite(delay) else None)
                turn.clear()
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.granted()

    @asynccontextmanager
    async def pacing(self, cost: float = 1) -> AsyncGenerator[Grant]:
        """Wait for a turn, run the block, and slow down if it raises a rate limit error.

        That is an exception whose `code` is `rate_limit`; its `retry_after`, in seconds, is how
        long nothing is let through. The exception is raised all the same.
        """
        grant = await self.wait(cost)
        began = self._clock()
        try:
            yield grant
        except Exception as exc:
            if getattr(exc, "code", None) == "rate_limit":
                self.slow_down(getattr(exc, "retry_after", None), began=began)
            raise

    def slow_down(self, retry_after: float | None = None, *, began: float | None = None) -> None:
        """Let nothing through for a while, and after that half as much as before.

        It recovers by a twentieth of `rate` with each interval.

        Args:
            retry_after: seconds; one interval if None.
            began: when the call began that was told so, on this limiter's clock. Of several
                that had been let through before the first complaint, only the first one halves
                the rate.
        """
        with self._lock:
            now = self._clock()
            self._slowdown.complain(now, now if began is None else began, retry_after)

    def __repr__(self) -> str:
        return f"<RateLimiter {self.rate:g} per {self.interval:g} s, {self.waiting} waiting>"

    def _advance(self, waiter: _Waiter) -> float | None:
        """Grant the waiter its wish, or tell how long to wait: for ever is until woken."""
        with self._lock:
            if not waiter.queued:
                self._queue.append(waiter)
                waiter.queued = True
            if self._queue[0] is not waiter:
                return math.inf
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
        return Grant(self._window.take(now, cost), cost, self._change)

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
            elif waiter.queued:
                self._queue.remove(waiter)
            self._wake_first()

    def _change(self, entry: Entry, by: float) -> None:
        with self._lock:
            self._window.change(entry, by)
            self._wake_first()

    def _wake_first(self) -> None:
        while self._queue:
            try:
                self._queue[0].wake()
            except RuntimeError:
                self._queue.popleft()  # its event loop is closed: it waits no more
            else:
                return

    def _want_cost(self, cost: float) -> None:
        _want_positive("cost", cost)
        if cost > self.rate:
            raise ParallelError(
                f"cost {cost:g} never fits into a rate of {self.rate:g} per {self.interval:g} s"
            )


class _Waiter:
    __slots__ = ("cost", "grant", "queued", "wake")

    def __init__(self, cost: float, wake: Callable[[], object]) -> None:
        self.cost = cost
        self.wake = wake
        self.grant: Grant | None = None
        self.queued = False

    def granted(self) -> Grant:
        assert self.grant is not None  # noqa: S101  # its turn has come
        return self.grant


def _want_positive(name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ParallelError(f"{name} must be a positive number, got {value!r}")
