"""Distributions."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from mist.metrics.errors import MetricError
from mist.metrics.metric import Metric, as_float, saturated
from mist.metrics.snapshot import HistogramSnapshot
from mist.metrics.timer import Timer

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from mist.metrics.names import Labels

    # count, sum, min, max, and for each bound how many were not above it
    _State: TypeAlias = tuple[int, float, float, float, tuple[int, ...]]

_INFINITY = float("inf")

DEFAULT_BUCKETS: tuple[float, ...] = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 10000)
"""Upper bounds for durations in milliseconds, those of mist-go."""


class Histogram(Metric):
    """Observations sorted into buckets. Registries make them: `registry.histogram(name)`.

    What is not a finite number is not recorded: it is counted in `mist_metrics_refused`, and
    logged once for each metric, with the place that it came from.
    """

    __slots__ = ("_clock", "bounds")

    _state: _State

    def __init__(
        self,
        name: str,
        labels: Labels,
        refuse: Callable[[Metric, object], object],
        bounds: tuple[float, ...],
        clock: Callable[[], float],
    ) -> None:
        self.bounds = bounds
        self._clock = clock
        super().__init__(name, labels, refuse)

    @property
    def _start(self) -> _State:
        return 0, 0.0, _INFINITY, -_INFINITY, (0,) * len(self.bounds)

    def observe(self, value: float) -> None:
        """Record one value, in the unit that the buckets have."""
        number = value if type(value) is float else as_float(value)
        if number - number:  # true for NaN, to which infinities lead as well
            self._refuse(self, value)
        else:
            self._record(number)

    def time(self) -> Timer:
        """Return a timer that records milliseconds, as the default buckets have them.

        It is a context manager, and a decorator for functions and coroutine functions.
        """
        return Timer(self.observe, self._clock)

    def snapshot(self) -> HistogramSnapshot:
        """Return the distribution at this moment: all of its parts tell of the same values."""
        count, total, low, high, buckets = self._settle()
        if not count:
            low = high = 0.0
        return HistogramSnapshot(
            self.name,
            self.labels,
            count=count,
            sum=total,
            min=low,
            max=high,
            buckets=dict(zip(self.bounds, buckets, strict=True)),
        )

    def _folded(self, state: _State, batch: list[float]) -> _State:
        count, total, low, high, buckets = state
        for value in batch:  # from left to right, as mist-go adds; sum() compensates since 3.12
            total += value
        batch.sort()
        return (
            count + len(batch),
            saturated(total),
            min(low, batch[0]),
            max(high, batch[-1]),
            tuple(
                [
                    below + bisect_right(batch, bound)
                    for below, bound in zip(buckets, self.bounds, strict=True)
                ]
            ),
        )


def check_buckets(name: str, buckets: Iterable[float]) -> tuple[float, ...]:
    """Return the upper bounds in order, without the infinite one that every histogram has.

    Raises:
        MetricError: a bound is no number, is NaN, or is there twice.
    """
    try:
        given = tuple(buckets)
    except TypeError as exc:
        raise MetricError(
            f"the buckets of histogram {name!r} are several numbers, not {buckets!r}"
        ) from exc
    bounds = [as_float(bound) for bound in given]
    if _INFINITY in bounds:
        bounds.remove(_INFINITY)
    ordered = sorted(bounds)
    if any(b - b for b in ordered) or any(a == b for a, b in pairwise(ordered)):
        raise MetricError(f"the buckets of histogram {name!r} are different numbers, not {given!r}")
    return tuple(ordered)
