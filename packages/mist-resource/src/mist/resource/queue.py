"""Units of something scarce, given out in the order in which they were asked for."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable


class Claim:
    """A wish for some units: waiting, granted, or given up."""

    __slots__ = ("amount", "granted", "wake")

    def __init__(self, amount: int, wake: Callable[[], object] | None) -> None:
        self.amount = amount
        self.wake = wake
        self.granted = False


class FairQueue:
    """Gives out at most `limit` units at a time, first come, first served.

    A claim waits behind an earlier one even where it would fit and that would not, so that a
    large one is not starved by small ones. Tasks of any event loop and threads may wait in one
    queue.

    Attributes:
        limit: how many units there are.
        taken: how many of them are out.
        grants: how many claims have been granted so far.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self.grants = 0
        self._waiting: deque[Claim] = deque()
        # Reentrant, because the collector may close an abandoned coroutine, and with it give
        # units back, in any of the lines that hold the lock.
        self._lock = threading.RLock()

    @property
    def waiting(self) -> int:
        """How many claims wait."""
        return len(self._waiting)

    def try_take(self, amount: int) -> bool:
        """Take units if there are enough and nobody waits for some."""
        with self._lock:
            if self._waiting or self.taken + amount > self.limit:
                return False
            self._grant(Claim(amount, None))
            return True

    async def take(self, amount: int) -> None:
        """Wait until the units are ours."""
        if self.try_take(amount):
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            loop.call_soon_threadsafe(_resolve, turn)

        claim = self._queue_up(amount, wake)
        try:
            await turn
        except BaseException:
            self._give_up(claim)
            raise

    def take_sync(self, amount: int, timeout: float | None) -> bool:
        """Wait in this thread until the units are ours; False where that takes too long."""
        if self.try_take(amount):
            return True
        turn = threading.Event()
        claim = self._queue_up(amount, turn.set)
        try:
            came = turn.wait(timeout)
        except BaseException:
            self._give_up(claim)
            raise
        if not came:
            self._give_up(claim)
        return came

    def give_back(self, amount: int) -> bool:
        """Return units; False, and nothing is done, if fewer than that are out."""
        with self._lock:
            if amount > self.taken:
                return False
            self.taken -= amount
            self._serve()
            return True

    def _queue_up(self, amount: int, wake: Callable[[], object]) -> Claim:
        claim = Claim(amount, wake)
        with self._lock:
            self._waiting.append(claim)
            self._serve()
        return claim

    def _give_up(self, claim: Claim) -> None:
        with self._lock:
            if claim.granted:
                # Granted in the moment of giving up: nobody would ever return the units.
                self.taken -= claim.amount
                self.grants -= 1
            elif claim in self._waiting:
                self._waiting.remove(claim)
            self._serve()

    def _serve(self) -> None:
        waiting = self._waiting
        while waiting and self.taken + waiting[0].amount <= self.limit:
            self._grant(waiting.popleft())

    def _grant(self, claim: Claim) -> None:
        if claim.wake is not None:
            try:
                claim.wake()
            except RuntimeError:
                return  # its event loop is closed: it waits no more
        claim.granted = True
        self.taken += claim.amount
        self.grants += 1


def _resolve(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
