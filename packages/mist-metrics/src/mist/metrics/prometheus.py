"""Metrics for Prometheus, through prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from mist.metrics.errors import PrometheusClientMissing
from mist.metrics.names import prometheus_name
from mist.metrics.snapshot import CounterSnapshot, GaugeSnapshot, HistogramSnapshot, Snapshot

try:
    from prometheus_client import exposition
    from prometheus_client.metrics_core import Metric
    from prometheus_client.openmetrics import exposition as openmetrics_exposition
    from prometheus_client.registry import Collector as _Collector
except ModuleNotFoundError as exc:
    raise PrometheusClientMissing from exc

if TYPE_CHECKING:
    from mist.metrics.names import Kind

S = TypeVar("S", CounterSnapshot, GaugeSnapshot, HistogramSnapshot)


class Collector(_Collector):
    """Gives prometheus_client what a snapshot holds, at every scrape."""

    def __init__(self, take: Callable[[], Snapshot]) -> None:
        self._take = take

    def collect(self) -> Iterator[Metric]:
        """Yield one family for each name."""
        yield from families(self._take())


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the families of a snapshot."""
    for counters in _by_name(snapshot.counters.values()):
        family, divisor = _family("counter", counters[0].name, snapshot.help)
        for counter in counters:
            _add(family, "_total", counter.labels, counter.value, divisor)
        yield family
    for gauges in _by_name(snapshot.gauges.values()):
        family, divisor = _family("gauge", gauges[0].name, snapshot.help)
        for gauge in gauges:
            _add(family, "", gauge.labels, gauge.value, divisor)
        yield family
    for histograms in _by_name(snapshot.histograms.values()):
        family, divisor = _family("histogram", histograms[0].name, snapshot.help)
        for histogram in histograms:
            _add_histogram(family, histogram, divisor)
        yield family


def text(snapshot: Snapshot, *, openmetrics: bool) -> bytes:
    """Return the OpenMetrics 1.0 or the Prometheus 0.0.4 exposition."""
    source = Collector(lambda: snapshot)
    if openmetrics:
        return bytes(openmetrics_exposition.generate_latest(source))  # type: ignore[no-untyped-call]  # it has no types
    return exposition.generate_latest(source)


def _by_name(series: Iterable[S]) -> Iterator[list[S]]:
    ordered = sorted(series, key=lambda each: each.name)
    return (list(group) for _, group in groupby(ordered, key=lambda each: each.name))


def _family(kind: Kind, name: str, help: Mapping[str, str]) -> tuple[Metric, int]:  # noqa: A002  # what Prometheus calls it
    exposed, divisor = prometheus_name(kind, name)
    return Metric(exposed, help.get(name) or f"Recorded as {name}.", kind), divisor


def _add(
    family: Metric, suffix: str, labels: Mapping[str, str], value: float, divisor: int
) -> None:
    family.add_sample(
        family.name + suffix, dict(labels), value / divisor if divisor != 1 else value
    )


def _add_histogram(family: Metric, histogram: HistogramSnapshot, divisor: int) -> None:
    below = [(repr(bound / divisor), count) for bound, count in histogram.buckets.items()]
    for bound, count in [*below, ("+Inf", histogram.count)]:
        _add(family, "_bucket", {**histogram.labels, "le": bound}, count, 1)
    _add(family, "_sum", histogram.labels, histogram.sum, divisor)
    _add(family, "_count", histogram.labels, histogram.count, 1)
