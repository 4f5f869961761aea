"""Counts that only grow."""

from __future__ import annotations

from itertools import count

from mist.metrics.errors import MetricError
from mist.metrics.metric import Metric
from mist.metrics.snapshot import CounterSnapshot

LARGEST = 2**63 - 1
"""Where counting ends: mist-go counts in an int64."""


class Counter(Metric):
    """A whole number that only grows. Registries make counters: `registry.counter(name)`."""

    __slots__ = ("_ones",)

    _state: int
    _start = 0

    def after_fork(self) -> None:
        """Begin at nothing."""
        super().after_fork()
        self._ones = count()

    def inc(self) -> None:
        """Count one."""
        next(self._ones)  # one atomic step, also without the GIL

    def add(self, n: int) -> None:
        """Count `n`, a whole number from 0 to 2**63 - 1.

        Raises:
            MetricError: `n` is anything else, such as negative, NaN, infinite or a fraction.
        """
        self._record(n if type(n) is int and 0 <= n <= LARGEST else self._whole(n))

    @property
    def value(self) -> int:
        """What has been counted; it stays at 2**63 - 1 once it gets there."""
        ones = int(repr(self._ones)[len("count(") : -1])  # the one way to look without counting
        added: int = self._settle()
        return min(ones + added, LARGEST)

    def snapshot(self) -> CounterSnapshot:
        """Return the value at this moment."""
        return CounterSnapshot(self.name, self.labels, self.value)

    def _folded(self, state: int, batch: list[int]) -> int:
        return state + sum(batch)

    def _whole(self, n: object) -> int:
        """Return what counts as a whole number, such as numpy's, or a float without a fraction."""
        if isinstance(n, float) and n.is_integer():
            n = int(n)
        whole: int = getattr(n, "__index__", lambda: -1)()
        if 0 <= whole <= LARGEST:
            return whole
        raise MetricError(
            f"counter {self.name!r} takes whole numbers from 0 to 2**63 - 1, not {n!r}; "
            "what can fall is a gauge, and fractions add up in a gauge or a histogram"
        )
