"""Levels that rise and fall."""

from __future__ import annotations

from mist.metrics.metric import Metric, as_float, saturated
from mist.metrics.snapshot import GaugeSnapshot


class Gauge(Metric):
    """A number that rises and falls. Registries make gauges: `registry.gauge(name)`.

    What is not a finite number is not recorded: it is counted in `mist_metrics_refused`, and
    logged once for each metric, with the place that it came from.
    """

    __slots__ = ()

    _state: float
    _start = 0.0

    def set(self, value: float) -> None:
        """Set the level."""
        level = value if type(value) is float else as_float(value)
        if level - level:  # true for NaN, to which infinities lead as well
            self._refuse(self, value)
        else:
            self._record((level,))

    def inc(self) -> None:
        """Raise the level by one."""
        self._record(1.0)

    def dec(self) -> None:
        """Lower the level by one."""
        self._record(-1.0)

    def add(self, delta: float) -> None:
        """Raise the level by `delta`, or lower it where that is negative."""
        step = delta if type(delta) is float else as_float(delta)
        if step - step:  # true for NaN, to which infinities lead as well
            self._refuse(self, delta)
        else:
            self._record(step)

    @property
    def value(self) -> float:
        """The level."""
        level: float = self._settle()
        return level

    def snapshot(self) -> GaugeSnapshot:
        """Return the level at this moment."""
        return GaugeSnapshot(self.name, self.labels, self.value)

    def _folded(self, state: float, batch: list[float | tuple[float]]) -> float:
        for entry in batch:
            state = entry[0] if isinstance(entry, tuple) else state + entry
        return saturated(state)
