"""Units of something scarce, given out in the order in which they were asked for."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

# It would be most of this package's import time: who waits in a thread does without, and who
# waits in an event loop has it already.
if TYPE_CHECKING:
    import asyncio

# The longest wait in one piece, in seconds. Ctrl-C ends none on Windows; elsewhere none that it
# came just too early for, or where the system gave the signal to another thread.
_LOOK_SECONDS = 0.5


class Claim:
    """A wish for some units: waiting, granted, or given up."""

    __slots__ = ("amount", "granted", "wake")

    def __init__(self, amount: int, wake: Callable[[], object]) -> None:
        self.amount = amount
        self.wake = wake
        self.granted = False


class FairQueue:
    """Gives out at most `limit` units at a time, first come, first served.

    A claim waits behind an earlier one even where it would fit and that would not, so that a
    large one is not starved by small ones. Tasks of any event loop and threads may wait in one
    queue. A forked child has units of its own.

    Attributes:
        limit: how many units there are.
        taken: how many of them are out.
        grants: how many claims have been granted so far.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self.grants = 0
        # In the order of asking; not a deque, for any claim may be given up, and there may be many.
        self._waiting: OrderedDict[Claim, None] = OrderedDict()
        # Reentrant, because the collector may close an abandoned coroutine, and with it give
        # units back, in any of the lines that hold the lock.
        self._lock = threading.RLock()
        self._inherited = 0
        _queues.add(self)

    @property
    def waiting(self) -> int:
        """How many claims wait."""
        return len(self._waiting)

    def try_take(self, amount: int) -> bool:
        """Take units if there are enough and nobody waits for some."""
        with self._lock:
            if self._waiting or self.taken + amount > self.limit:
                return False
            self.taken += amount
            self.grants += 1
            return True

    async def take(self, amount: int) -> None:
        """Wait until the units are ours."""
        if self.try_take(amount):
            return
        from asyncio import get_running_loop  # noqa: PLC0415  # see above

        loop = get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            loop.call_soon_threadsafe(_resolve, turn)

        claim = Claim(amount, wake)
        try:
            self._queue_up(claim)
            await turn
        except BaseException:
            self._give_up(claim)
            raise

    def take_sync(self, amount: int, timeout: float | None) -> bool:
        """Wait in this thread until the units are ours; False where that takes too long."""
        if self.try_take(amount):
            return True
        # Not an event: when Ctrl-C ends its wait, it may not have its lock back.
        turn = threading.Lock()
        turn.acquire()
        claim = Claim(amount, turn.release)
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        try:
            self._queue_up(claim)
            while not claim.granted:
                left = deadline - time.monotonic()
                if left <= 0:
                    self._give_up(claim)
                    return False
                turn.acquire(timeout=min(left, _LOOK_SECONDS))
        except BaseException:
            self._give_up(claim)
            raise
        return True

    def give_back(self, amount: int) -> bool:
        """Return units; False, and nothing is done, if fewer than that are out."""
        with self._lock:
            if amount > self.taken:
                # A block that its parent had entered may end in a forked child as well.
                if amount > self._inherited:
                    return False
                self._inherited -= amount
                return True
            self.taken -= amount
            self._serve()
            return True

    def after_fork(self) -> None:
        """Begin with all units in a forked child: who had them, or waited, is not in it."""
        self._lock = threading.RLock()
        self._inherited += self.taken
        self.taken = 0
        self._waiting.clear()

    def _queue_up(self, claim: Claim) -> None:
        with self._lock:
            self._waiting[claim] = None
            self._serve()

    def _give_up(self, claim: Claim) -> None:
        with self._lock:
            if claim.granted:
                # Granted in the moment of giving up: nobody would ever return the units.
                claim.granted = False
                self.taken -= claim.amount
                self.grants -= 1
            else:
                self._waiting.pop(claim, None)
            self._serve()

    def _serve(self) -> None:
        while self._waiting:
            claim = next(iter(self._waiting))
            if self.taken + claim.amount > self.limit:
                return
            # All of it before anything else is called: there the collector may come in between,
            # close a coroutine, and with it give units back, which serves the queue as well.
            self.taken += claim.amount
            self.grants += 1
            claim.granted = True
            self._waiting.pop(claim, None)
            try:
                claim.wake()
            except RuntimeError:
                # Its event loop is closed: it waits no more.
                claim.granted = False
                self.taken -= claim.amount
                self.grants -= 1


def _resolve(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


_queues: weakref.WeakSet[FairQueue] = weakref.WeakSet()


def _after_fork() -> None:
    for queue in tuple(_queues):
        queue.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
