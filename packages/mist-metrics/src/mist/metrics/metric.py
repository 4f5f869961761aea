"""What counters, gauges and histograms share: recording without a lock."""

from __future__ import annotations

import sys
from _thread import RLock  # threading has the same, and takes as long to import as all of this
from abc import ABC, abstractmethod
from time import sleep

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mist.metrics.names import Labels

# So many records are folded at a time: few enough that a series stays small (a list of 256 floats
# is 8 kB), many enough that the lock and the sorting do not count.
_BATCH = 256

# Beyond so many records a thread pauses, and so gives the processor to the one that is folding.
_MOST = 16 * _BATCH
_PAUSE = 0.001  # seconds


class Metric(ABC):
    """One series: a name, labels and what has been recorded.

    A record is appended to a list, which is one atomic step, and every so often a batch of them
    is folded into the state. Only folding takes the lock. A record made by a signal handler or a
    finalizer in the midst of folding just waits for the next batch, so nothing is lost and
    nothing deadlocks.
    """

    __slots__ = ("_folding", "_lock", "_pending", "_refuse", "_state", "labels", "name")

    _state: Any
    _start: Any

    def __init__(
        self, name: str, labels: Labels, refuse: Callable[[Metric, object], object]
    ) -> None:
        self.name = name
        self.labels = dict(labels)
        self._refuse = refuse
        self._pending: list[Any] = []
        self.after_fork()

    def __repr__(self) -> str:
        labels = ", ".join(f"{label}={value!r}" for label, value in self.labels.items())
        return f"<{type(self).__name__} {self.name}{{{labels}}}>"

    def after_fork(self) -> None:
        """Begin at nothing, in a forked child: what was counted is its parent's to tell."""
        self._lock = RLock()  # another thread may have held the old one when the process forked
        self._folding = False
        self._state = self._start
        self._pending.clear()

    def _record(self, entry: object) -> None:
        pending = self._pending
        pending.append(entry)
        if len(pending) >= _BATCH:
            self._fold(wait=False)

    def _settle(self) -> Any:
        """Fold what is pending, and return the state: one consistent cut through all records."""
        self._fold(wait=True)
        return self._state

    def _fold(self, *, wait: bool) -> None:
        """Fold what is pending; without `wait`, leave it to the thread that is at it, if any.

        That thread may be in a finalizer that waits for a lock which this thread holds. So
        recording never waits for it: once far too much is pending, it gives way for a moment.
        """
        # The interpreter switches threads and handles signals neither between this look and the
        # lock nor between the lock and the flag, so the lock is free if nobody is folding.
        if self._folding and not wait:
            if len(self._pending) > _MOST:
                sleep(_PAUSE)
            return
        with self._lock:
            if self._folding:  # by this very thread, which a signal handler has interrupted
                return
            self._folding = True
            try:
                batch = self._pending.copy()
                size = len(batch)
                if size:
                    state = self._folded(self._state, batch)
                    # Side by side, so that no exception of a signal handler comes between them.
                    self._state = state
                    del self._pending[:size]
            finally:
                self._folding = False

    @abstractmethod
    def _folded(self, state: Any, batch: list[Any]) -> Any:
        """Return the state after a batch; the list is the method's own."""


def as_float(value: object) -> float:
    """Return a number as a float, NaN for what is no number or is too large."""
    if isinstance(value, (str, bytes, bytearray)):
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]  # what float() refuses is the question
    # No more than float() raises itself: it may be the exception of a signal handler.
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def saturated(total: float) -> float:
    """Keep a sum of finite numbers finite: JSON has no infinity."""
    largest = sys.float_info.max
    return max(-largest, min(total, largest))
