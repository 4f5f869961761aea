"""What users write, checked by mypy and pyright and never run."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_type

from prometheus_client import REGISTRY

from mist.metrics import (
    DEFAULT_BUCKETS,
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
    WorkerDirectory,
    merge,
)

registry = Registry(max_series=1000)
assert_type(DEFAULT_BUCKETS, tuple[float, ...])

counter = registry.counter("requests", method="GET", code=200)
assert_type(counter, Counter)
counter.inc()
counter.add(2)
assert_type(counter.value, int)
assert_type(counter.labels, dict[str, str])

gauge = registry.gauge("queue")
assert_type(gauge, Gauge)
gauge.set(1)
gauge.inc()
gauge.dec()
gauge.add(-0.5)
assert_type(gauge.value, float)

histogram = registry.histogram("latency_ms", buckets=[1, 10.5], path="/")
assert_type(histogram, Histogram)
histogram.observe(42)
with histogram.time():
    pass


@histogram.time()
def work(number: int, *, text: str = "") -> bytes:
    """Work."""
    return text.encode() * number


@histogram.time()
async def work_later(number: int) -> list[int]:
    """Work later."""
    return [number]


assert_type(work(1, text="x"), bytes)


async def later() -> None:
    """Await."""
    assert_type(await work_later(1), list[int])


snapshot = registry.snapshot()
assert_type(snapshot, Snapshot)
assert_type(snapshot.counters, Mapping[str, CounterSnapshot])
assert_type(snapshot.gauges["queue"], GaugeSnapshot)
assert_type(snapshot.histograms["latency_ms{path,/}"], HistogramSnapshot)
assert_type(histogram.snapshot().percentile(99), float)
assert_type(histogram.snapshot().avg(), float)
assert_type(histogram.snapshot().buckets, Mapping[float, int])
assert_type(snapshot.to_json(), bytes)
assert_type(Snapshot.from_json(b"{}"), Snapshot)
assert_type(merge([snapshot, snapshot], gauges={"queue": "max"}), Snapshot)


@registry.before_snapshot
def update() -> None:
    """Set what changes slowly."""


update()
registry.describe("requests", "Requests that came in.")
registry.add_process_metrics()
REGISTRY.register(registry.collector())
app = registry.handler()

with WorkerDirectory(Path("run"), registry, interval=0.5, gauges={"queue": "sum"}) as workers:
    assert_type(workers, WorkerDirectory)
    assert_type(workers.snapshot(), Snapshot)
    REGISTRY.register(workers.collector())

try:
    registry.counter("no name")
except MetricError as error:
    assert_type(error.code, str)
except PrometheusClientMissing as missing:
    assert_type(missing.code, str)
