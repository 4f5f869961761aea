"""Several processes' metrics as one."""

from __future__ import annotations

from mist.metrics.counter import LARGEST
from mist.metrics.errors import MetricError
from mist.metrics.metric import saturated
from mist.metrics.snapshot import (
    CounterSnapshot,
    GaugeSnapshot,
    HistogramSnapshot,
    Snapshot,
    keyed,
)

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Literal, TypeAlias, TypeVar

    Combined: TypeAlias = Literal["sum", "max", "min"]
    S = TypeVar("S", CounterSnapshot, GaugeSnapshot, HistogramSnapshot)

_WAYS: dict[str, Callable[[float, float], float]] = {
    "sum": lambda a, b: saturated(a + b),
    "max": max,
    "min": min,
}

# What is meant for a program of several processes: the time that its first one started.
_USUAL: dict[str, Combined] = {"process_start_time_seconds": "min"}


def merge(
    snapshots: Iterable[Snapshot], *, gauges: Mapping[str, Combined] | None = None
) -> Snapshot:
    """Add up what several processes counted.

    Counters and histograms add up exactly. Histograms of one name that have different buckets
    keep those that all of them have.

    Args:
        snapshots: Of each process one.
        gauges: How a gauge combines, by its name: `sum` unless said otherwise, `max` or `min`.

    Raises:
        MetricError: a name is used for two kinds, or there is no such way to combine.
    """
    everything = list(snapshots)
    ways = {**_USUAL, **(gauges or {})}
    for name, way in ways.items():
        if way not in _WAYS:
            raise MetricError(f"gauge {name!r} combines by {', '.join(_WAYS)}, not by {way!r}")

    def level(a: GaugeSnapshot, b: GaugeSnapshot) -> GaugeSnapshot:
        way = _WAYS[ways.get(a.name, "sum")]
        return GaugeSnapshot(a.name, a.labels, way(a.value, b.value))

    merged = Snapshot(
        _combined((each.counters for each in everything), _add_counters),
        _combined((each.gauges for each in everything), level),
        _combined((each.histograms for each in everything), _add_histograms),
        {name: text for each in everything for name, text in each.help.items()},
    )
    _check_kinds(merged)
    return merged


def _combined(groups: Iterable[Mapping[str, S]], combine: Callable[[S, S], S]) -> dict[str, S]:
    found: dict[tuple[str, frozenset[tuple[str, str]]], S] = {}
    for group in groups:
        for each in group.values():
            identity = (each.name, frozenset(each.labels.items()))
            other = found.get(identity)
            found[identity] = each if other is None else combine(other, each)
    return keyed(found.values())


def _add_counters(a: CounterSnapshot, b: CounterSnapshot) -> CounterSnapshot:
    return CounterSnapshot(a.name, a.labels, min(a.value + b.value, LARGEST))


def _add_histograms(a: HistogramSnapshot, b: HistogramSnapshot) -> HistogramSnapshot:
    observed = [each for each in (a, b) if each.count]
    return HistogramSnapshot(
        a.name,
        a.labels,
        count=a.count + b.count,
        sum=saturated(a.sum + b.sum),
        min=min((each.min for each in observed), default=0.0),
        max=max((each.max for each in observed), default=0.0),
        buckets={
            bound: below + b.buckets[bound]
            for bound, below in a.buckets.items()
            if bound in b.buckets
        },
    )


def _check_kinds(snapshot: Snapshot) -> None:
    kinds: dict[str, str] = {}
    for kind, group in (
        ("counter", snapshot.counters),
        ("gauge", snapshot.gauges),
        ("histogram", snapshot.histograms),
    ):
        for each in group.values():
            if kinds.setdefault(each.name, kind) != kind:
                raise MetricError(f"{each.name!r} is a {kinds[each.name]} here and a {kind} there")
