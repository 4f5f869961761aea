"""Adding up several processes' metrics."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.metrics import MetricError, Registry, Snapshot, merge


def test_merging_nothing_is_nothing():
    """There is a neutral element."""
    assert merge([]) == Snapshot({}, {}, {})


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(-100, 100)), max_size=30), max_size=5
    )
)
def test_parts_merge_to_the_whole(parts):
    """Several registries that share the work come to what one would have come to."""
    whole = Registry()
    several = [Registry() for _ in parts]
    for part, registry in zip(parts, several, strict=True):
        for label, value in part:
            for each in (whole, registry):
                each.counter("c", v=label).inc()
                each.gauge("g", v=label).add(value)
                each.histogram("h", v=label).observe(value)
    assert merge(each.snapshot() for each in several).to_json() == whole.snapshot().to_json()


def test_labels_in_another_order_are_the_same_series():
    """Two workers may look the same series up differently."""
    first, second = Registry(), Registry()
    first.counter("c", a="1", b="2").inc()
    second.counter("c", b="2", a="1").inc()
    (counter,) = merge([first.snapshot(), second.snapshot()]).counters.values()
    assert counter.value == 2


@pytest.mark.parametrize(("way", "expected"), [("sum", 6), ("max", 3), ("min", 1)])
def test_gauges_combine_as_said(way, expected):
    """Sizes add up; for the age of the oldest, or the largest of all, there are max and min."""
    registries = [Registry() for _ in range(3)]
    for level, registry in enumerate(registries, start=1):
        registry.gauge("g").set(level)
    merged = merge([each.snapshot() for each in registries], gauges={"g": way})
    assert merged.gauges["g"].value == expected


def test_an_unknown_way_is_an_error():
    """It is told before anything is merged."""
    with pytest.raises(MetricError, match="gauge 'g' combines by sum, max, min, not by 'avg'"):
        merge([], gauges={"g": "avg"})


def test_other_buckets_leave_those_in_common():
    """During a rolling change of buckets, what is told remains exact."""
    old, new = Registry(), Registry()
    for registry, buckets in ((old, (1, 5, 10)), (new, (5, 10, 50))):
        for value in (0.5, 7, 30):
            registry.histogram("h", buckets=buckets).observe(value)
    merged = merge([old.snapshot(), new.snapshot()]).histograms["h"]
    assert merged.buckets == {5: 2, 10: 4}
    assert (merged.count, merged.sum, merged.min, merged.max) == (6, 75, 0.5, 30)


def test_a_histogram_without_values_has_no_say_in_the_extremes():
    """The zeros of an empty histogram are no observations."""
    busy, idle = Registry(), Registry()
    busy.histogram("h").observe(7)
    idle.histogram("h")
    merged = merge([idle.snapshot(), busy.snapshot()]).histograms["h"]
    assert (merged.min, merged.max) == (7, 7)


def test_one_name_of_two_kinds_is_an_error():
    """Nothing sensible comes of adding a counter to a gauge."""
    first, second = Registry(), Registry()
    first.counter("x").inc()
    second.gauge("x").set(1)
    with pytest.raises(MetricError, match="'x' is a counter here and a gauge there"):
        merge([first.snapshot(), second.snapshot()])


def test_sums_stay_finite():
    """JSON has no infinity: two halves of more than the largest float are the largest float."""
    registry = Registry()
    registry.histogram("h").observe(1.5e308)
    registry.gauge("g").set(1.5e308)
    merged = merge([registry.snapshot(), registry.snapshot()])
    assert merged.histograms["h"].sum == merged.gauges["g"].value == sys.float_info.max


def test_counts_stay_within_64_bits():
    """They end where a counter does, since mist-go cannot read more."""
    registry = Registry()
    registry.counter("c").add(2**63 - 1)
    assert merge([registry.snapshot()] * 2).counters["c"].value == 2**63 - 1


def test_descriptions_are_kept():
    """Whichever process has them."""
    first, second = Registry(), Registry()
    second.describe("x", "What x is.")
    assert merge([first.snapshot(), second.snapshot()]).help["x"] == "What x is."
