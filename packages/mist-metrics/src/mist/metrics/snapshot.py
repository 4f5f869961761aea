"""What metrics were at one moment."""

from __future__ import annotations

from mist.metrics.errors import MetricError

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar


class _Record:
    """Compares and shows itself by its fields."""

    __slots__: tuple[str, ...] = ()

    def _fields(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]  # labels and buckets are mappings

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._fields().items())
        return f"{type(self).__name__}({fields})"


class CounterSnapshot(_Record):
    """A counter at one moment."""

    __slots__ = ("labels", "name", "value")

    def __init__(self, name: str, labels: Mapping[str, str], value: int) -> None:
        self.name = name
        self.labels = labels
        self.value = value


class GaugeSnapshot(_Record):
    """A gauge at one moment."""

    __slots__ = ("labels", "name", "value")

    def __init__(self, name: str, labels: Mapping[str, str], value: float) -> None:
        self.name = name
        self.labels = labels
        self.value = value


class HistogramSnapshot(_Record):
    """A histogram at one moment.

    Args:
        name: Its name.
        labels: Its labels.
        count: How many values were observed.
        sum: What they add up to.
        min: The least of them, 0 if there are none.
        max: The greatest of them, 0 if there are none.
        buckets: For each upper bound, in order, how many values were not above it.
    """

    __slots__ = ("buckets", "count", "labels", "max", "min", "name", "sum")

    def __init__(
        self,
        name: str,
        labels: Mapping[str, str],
        *,
        count: int,
        sum: float,  # noqa: A002  # the contract's name
        min: float,  # noqa: A002  # the contract's name
        max: float,  # noqa: A002  # the contract's name
        buckets: Mapping[float, int],
    ) -> None:
        self.name = name
        self.labels = labels
        self.count = count
        self.sum = sum
        self.min = min
        self.max = max
        self.buckets = buckets

    def avg(self) -> float:
        """Return the mean of all values, 0 if there are none."""
        return self.sum / self.count if self.count else 0.0

    def percentile(self, p: float) -> float:
        """Estimate a percentile by interpolation within its bucket, as mist-go does.

        Values are taken to be above 0, and those beyond the last bound to be at the greatest.

        Args:
            p: From 0 to 100.

        Raises:
            MetricError: `p` is outside that range.
        """
        if not 0 <= p <= 100:  # noqa: PLR2004  # per cent
            raise MetricError(f"a percentile is from 0 to 100, not {p!r}")
        if not self.count or not self.buckets:
            return 0.0
        target = self.count * p / 100.0
        lower, below = 0.0, 0
        for bound, count in self.buckets.items():
            if count >= target:
                if count == below:
                    return float(bound)
                return lower + (target - below) / (count - below) * (bound - lower)
            lower, below = bound, count
        return self.max


class Snapshot(_Record):
    """All metrics of a registry at one moment.

    The keys are mist-go's: `name`, or `name{label,value,label,value}`. Where a comma in a value
    would make two series one key, the later of them is told apart as `name["label","value"]`.

    Args:
        counters: By key.
        gauges: By key.
        histograms: By key.
        help: Descriptions, by a metric's name.
    """

    __slots__ = ("counters", "gauges", "help", "histograms")

    def __init__(
        self,
        counters: Mapping[str, CounterSnapshot],
        gauges: Mapping[str, GaugeSnapshot],
        histograms: Mapping[str, HistogramSnapshot],
        help: Mapping[str, str] | None = None,  # noqa: A002  # what Prometheus calls it
    ) -> None:
        self.counters = counters
        self.gauges = gauges
        self.histograms = histograms
        self.help = help or {}

    def to_json(self) -> bytes:
        """Return the bytes that mist-go writes for the same metrics."""
        from mist.metrics.go_json import encode  # noqa: PLC0415  # loads when it is used

        return encode(self).encode()

    @classmethod
    def from_json(cls, data: bytes | str) -> Snapshot:
        """Read what `to_json` or mist-go wrote.

        Raises:
            MetricError: it is something else.
        """
        from mist.metrics.go_json import decode  # noqa: PLC0415  # loads when it is used

        return decode(data)


if TYPE_CHECKING:
    _S = TypeVar("_S", CounterSnapshot, GaugeSnapshot, HistogramSnapshot)


def keyed(series: Iterable[_S]) -> dict[str, _S]:
    """Give every series its key, different from that of any other."""
    found: dict[str, _S] = {}
    for each in series:
        key = each.name
        if each.labels:
            flat = [part for pair in each.labels.items() for part in pair]
            key = f"{each.name}{{{','.join(flat)}}}"
            if key in found:
                from mist.metrics.go_json import quoted  # noqa: PLC0415  # loads when it is used

                key = f"{each.name}[{','.join(map(quoted, flat))}]"
        found[key] = each
    return found
