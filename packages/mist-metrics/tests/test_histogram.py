"""Histograms."""

import json
import logging
import sys
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.metrics import DEFAULT_BUCKETS, MetricError, Registry

FINITE = st.floats(-1e6, 1e6)


def test_default_buckets_are_those_of_mist_go():
    """They suit latencies in milliseconds."""
    assert DEFAULT_BUCKETS == (1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 10000)


def test_nothing_observed_is_zero():
    """An empty histogram has no infinities to show."""
    snapshot = Registry().histogram("h").snapshot()
    assert (snapshot.count, snapshot.sum, snapshot.min, snapshot.max) == (0, 0, 0, 0)
    assert (snapshot.avg(), snapshot.percentile(50)) == (0, 0)
    assert set(snapshot.buckets.values()) == {0}


@given(
    st.lists(FINITE | st.integers(-1000, 1000), max_size=700),
    st.lists(FINITE, unique=True, max_size=20),
)
def test_a_histogram_is_what_its_values_say(values, buckets):
    """Count, sum, extremes and buckets are those of the list of values, batches or not."""
    histogram = Registry().histogram("h", buckets=buckets)
    total = 0.0
    for value in values:
        histogram.observe(value)
        total += value
    snapshot = histogram.snapshot()
    assert snapshot.count == len(values)
    assert snapshot.sum == total
    assert (snapshot.min, snapshot.max) == (min(values, default=0), max(values, default=0))
    assert list(snapshot.buckets) == sorted(buckets)
    for bound, below in snapshot.buckets.items():
        assert below == sum(value <= bound for value in values)


@given(st.lists(st.floats(0, 20000), min_size=1, max_size=100), st.floats(0.001, 100))
def test_a_percentile_lies_within_the_bucket_that_holds_it(values, p):
    """The estimate is not below the bound under the true value's bucket, nor above its own."""
    histogram = Registry().histogram("h")
    for value in values:
        histogram.observe(value)
    estimate = histogram.snapshot().percentile(p)
    rank = max(0, -(-len(values) * p // 100) - 1)
    true = sorted(values)[int(rank)]
    bucket = bisect_left(DEFAULT_BUCKETS, true)
    lower = 0 if bucket == 0 else DEFAULT_BUCKETS[bucket - 1]
    upper = DEFAULT_BUCKETS[bucket] if bucket < len(DEFAULT_BUCKETS) else max(values)
    assert lower <= estimate <= upper or estimate == pytest.approx(lower)


@pytest.mark.parametrize("p", [-1, 100.1, float("nan")])
def test_a_percentile_outside_its_range_is_an_error(p):
    """There is no such percentile."""
    with pytest.raises(MetricError, match="from 0 to 100"):
        Registry().histogram("h").snapshot().percentile(p)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), 10**400, "1", None, object()]
)
def test_what_is_no_finite_number_is_counted_and_reported(caplog, value):
    """Where mist-go's whole exposition fails at one NaN, here it is kept out and told."""
    registry = Registry()
    histogram = registry.histogram("latency", path="/")
    histogram.observe(1)
    with caplog.at_level(logging.WARNING, logger="mist.metrics"):
        histogram.observe(value)
        histogram.observe(value)
    assert histogram.snapshot().count == 1
    assert registry.snapshot().counters["mist_metrics_refused{metric,latency}"].value == 2
    (record,) = caplog.records
    assert record.filename == "test_histogram.py"
    assert "latency" in record.getMessage()
    json.loads(registry.snapshot().to_json(), parse_constant=pytest.fail)


def test_an_overflowing_sum_stays_finite():
    """JSON has no infinity: the sum stays at the largest float."""
    histogram = Registry().histogram("h")
    histogram.observe(sys.float_info.max)
    histogram.observe(sys.float_info.max)
    assert histogram.snapshot().sum == sys.float_info.max


def test_buckets_come_in_any_order_and_infinity_is_understood():
    """Every histogram has the infinite bucket: naming it, as Prometheus users do, adds none."""
    histogram = Registry().histogram("h", buckets=[10, 1, float("inf")])
    assert histogram.bounds == (1, 10)


def test_a_histogram_may_have_no_buckets():
    """Count and sum are enough for some."""
    histogram = Registry().histogram("h", buckets=())
    histogram.observe(3)
    assert (histogram.snapshot().count, histogram.snapshot().buckets) == (1, {})
    assert histogram.snapshot().percentile(50) == 0


@pytest.mark.parametrize("buckets", [[1, 1], [float("nan")], [-float("inf")], ["1"], [None]])
def test_bad_buckets_are_an_error_that_names_the_histogram(buckets):
    """Buckets are different numbers."""
    with pytest.raises(MetricError, match="buckets of histogram 'h'"):
        Registry().histogram("h", buckets=buckets)
