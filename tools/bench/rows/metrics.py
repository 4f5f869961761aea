"""mist.metrics against prometheus_client."""

from collections.abc import Callable, Generator
from itertools import repeat
from threading import Thread

from mist.metrics import Registry
from tools.bench.pair import Pair
from tools.bench.row import Rows, at_least

ROWS = Rows("metrics")

# So many calls to a sample's call that the harness's own call does not count.
_LOOP = 100
_THREADS = 8
_EACH = 10_000
_PEER = ["prometheus-client"]


def _looped(function: Callable[[], object]) -> Callable[[], object]:
    def loop() -> None:
        for _ in repeat(None, _LOOP):
            function()

    return loop


@ROWS.calls("Counter.inc", at_least(3), against="bound child, inc", peers=_PEER, per_call=_LOOP)
def inc() -> Generator[Pair]:
    """Count one, on an object at hand."""
    from prometheus_client import CollectorRegistry, Counter  # noqa: PLC0415  # may be absent

    ours = Registry().counter("requests", method="GET")
    peer = Counter("requests", "-", ["method"], registry=CollectorRegistry()).labels("GET")
    yield Pair(ours=_looped(ours.inc), peer=_looped(peer.inc))


@ROWS.calls(
    f"Counter.inc, {_THREADS} threads",
    at_least(3),
    against="bound child, inc; both exact",
    peers=_PEER,
    per_call=_THREADS * _EACH,
)
def inc_in_threads() -> Generator[Pair]:
    """Count from several threads at once, and lose nothing."""
    from prometheus_client import CollectorRegistry, Counter  # noqa: PLC0415  # may be absent

    ours = Registry().counter("requests", method="GET")
    peers = CollectorRegistry()
    peer = Counter("requests", "-", ["method"], registry=peers).labels("GET")
    called = [0, 0]

    def together(side: int, function: Callable[[], object]) -> None:
        def count() -> None:
            for _ in repeat(None, _EACH):
                function()

        threads = [Thread(target=count) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        called[side] += _THREADS * _EACH

    yield Pair(ours=lambda: together(0, ours.inc), peer=lambda: together(1, peer.inc))
    counted = [ours.value, peers.get_sample_value("requests_total", {"method": "GET"})]
    if counted != called:
        raise RuntimeError(f"counted {counted} of {called}")


@ROWS.calls(
    "Histogram.observe", at_least(3), against="bound child, observe", peers=_PEER, per_call=_LOOP
)
def observe() -> Generator[Pair]:
    """Sort a value into eleven buckets, on an object at hand; folding is part of it."""
    from prometheus_client import CollectorRegistry, Histogram  # noqa: PLC0415  # may be absent

    ours = Registry().histogram("latency", method="GET")
    peer = Histogram(
        "latency", "-", ["method"], registry=CollectorRegistry(), buckets=ours.bounds
    ).labels("GET")
    values = [float(n * 37 % 1201) for n in range(_LOOP)]

    def observe_ours() -> None:
        for value in values:
            ours.observe(value)

    def observe_peer() -> None:
        for value in values:
            peer.observe(value)

    yield Pair(ours=observe_ours, peer=observe_peer)


@ROWS.calls(
    "counter(name, **labels).inc()",
    at_least(3),
    against="labels(**labels).inc()",
    peers=_PEER,
    per_call=_LOOP,
)
def lookup() -> Generator[Pair]:
    """Find one series of many by its labels, and count."""
    from prometheus_client import CollectorRegistry, Counter  # noqa: PLC0415  # may be absent

    registry = Registry()
    peer = Counter("requests", "-", ["method", "code"], registry=CollectorRegistry())

    def ours() -> None:
        registry.counter("requests", method="GET", code="200").inc()

    def theirs() -> None:
        peer.labels(method="GET", code="200").inc()

    yield Pair(ours=_looped(ours), peer=_looped(theirs))


@ROWS.calls(
    "with Histogram.time()", at_least(1), against="with time()", peers=_PEER, per_call=_LOOP
)
def time() -> Generator[Pair]:
    """Time a block that does nothing."""
    from prometheus_client import CollectorRegistry, Histogram  # noqa: PLC0415  # may be absent

    mine = Registry().histogram("latency", method="GET")
    peer = Histogram("latency", "-", ["method"], registry=CollectorRegistry()).labels("GET")

    def ours() -> None:
        with mine.time():
            pass

    def theirs() -> None:
        with peer.time():
            pass

    yield Pair(ours=_looped(ours), peer=_looped(theirs))


@ROWS.calls("1,000 series as text", at_least(0.5), against="generate_latest", peers=_PEER)
def exposition() -> Generator[Pair]:
    """Show 500 counters and 500 histograms."""
    from prometheus_client import (  # noqa: PLC0415  # may be absent
        CollectorRegistry,
        Counter,
        Histogram,
        generate_latest,
    )

    from mist.metrics.prometheus import text  # noqa: PLC0415  # needs prometheus_client

    registry, theirs = Registry(), CollectorRegistry()
    counter = Counter("c", "-", ["n"], registry=theirs)
    histogram = Histogram("h", "-", ["n"], registry=theirs, buckets=(1, 5, 10, 25, 50, 100))
    for number in range(500):
        registry.counter("c", n=number).inc()
        registry.histogram("h", n=number, buckets=(1, 5, 10, 25, 50, 100)).observe(number)
        counter.labels(number).inc()
        histogram.labels(number).observe(number)
    yield Pair(
        ours=lambda: text(registry.snapshot(), openmetrics=False),
        peer=lambda: generate_latest(theirs),
    )
