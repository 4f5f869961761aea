"""Counters, gauges and histograms that cost little, for JSON and for Prometheus."""

from mist.metrics.counter import Counter
from mist.metrics.errors import MetricError, PrometheusClientMissing, WrongFunctionError
from mist.metrics.gauge import Gauge
from mist.metrics.histogram import DEFAULT_BUCKETS, Histogram
from mist.metrics.merge import merge
from mist.metrics.registry import Registry
from mist.metrics.snapshot import CounterSnapshot, GaugeSnapshot, HistogramSnapshot, Snapshot
from mist.metrics.timer import Timer
from mist.metrics.workers import WorkerDirectory

__all__ = [
    "DEFAULT_BUCKETS",
    "Counter",
    "CounterSnapshot",
    "Gauge",
    "GaugeSnapshot",
    "Histogram",
    "HistogramSnapshot",
    "MetricError",
    "PrometheusClientMissing",
    "Registry",
    "Snapshot",
    "Timer",
    "WorkerDirectory",
    "WrongFunctionError",
    "merge",
]

for _public in (
    Counter,
    CounterSnapshot,
    Gauge,
    GaugeSnapshot,
    Histogram,
    HistogramSnapshot,
    MetricError,
    PrometheusClientMissing,
    Registry,
    Snapshot,
    Timer,
    WorkerDirectory,
    WrongFunctionError,
    merge,
):
    _public.__module__ = __name__
del _public
