"""The JSON and the estimates of mist-go, byte for byte."""

import json

from mist.metrics import Registry, Snapshot


def lines(golden, key):
    """The golden lines that have a key."""
    every = map(json.loads, (golden / "metrics.jsonl").read_text("utf-8").splitlines())
    found = [line for line in every if key in line]
    assert found
    return found


def observed(line):
    """A registry with the histogram of a golden line."""
    registry = Registry()
    histogram = registry.histogram("h", buckets=line["buckets"], model="m1")
    for value in line["observe"]:
        histogram.observe(value)
    return registry, histogram


def test_histogram_json_is_that_of_go(golden):
    """A histogram is written with Go's key order, bucket keys and numbers."""
    for line in lines(golden, "snapshot_json"):
        registry, _ = observed(line)
        expected = f'{{"histograms":{{"h{{model,m1}}":{line["snapshot_json"]}}}}}'
        assert registry.snapshot().to_json().decode() == expected


def test_percentiles_and_averages_are_those_of_go(golden):
    """The same interpolation gives the same floats, to the last bit."""
    for line in lines(golden, "percentiles"):
        snapshot = observed(line)[1].snapshot()
        assert snapshot.avg() == line["avg"]
        for p, expected in line["percentiles"].items():
            assert snapshot.percentile(float(p)) == expected, p


def test_registry_json_is_that_of_go(golden):
    """A registry is written with sorted keys; names, labels and values are Go's."""
    (line,) = lines(golden, "registry_json")
    registry = Registry()
    registry.counter("plain").add(7)
    registry.counter("http_requests_total", method="POST").inc()
    registry.counter("http_requests_total", method="GET").add(1024)
    registry.gauge("temp", room="a b").set(-1.5)
    registry.gauge("active_connections").set(7)
    histogram = registry.histogram("request_duration_ms")
    for value in (1.2, 50, 242.5, 4800):
        histogram.observe(value)
    assert registry.snapshot().to_json().decode() == line["registry_json"]
    assert Snapshot.from_json(line["registry_json"]).to_json().decode() == line["registry_json"]


def test_empty_registry_json_is_that_of_go(golden):
    """Empty groups are left out."""
    (line,) = lines(golden, "empty_registry_json")
    assert Registry().snapshot().to_json().decode() == line["empty_registry_json"]
