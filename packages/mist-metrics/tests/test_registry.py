"""Looking metrics up: identity, rules, limits."""

import json
import logging
import threading
from enum import Enum

import pytest

from mist.metrics import DEFAULT_BUCKETS, MetricError, Registry


class Method(str, Enum):  # noqa: UP042  # the point of it
    """An enum that is text, whose str() is not its text."""

    GET = "GET"


@pytest.fixture
def registry():
    """A registry."""
    return Registry()


@pytest.mark.parametrize("kind", ["counter", "gauge", "histogram"])
def test_the_same_name_and_labels_are_the_same_object(registry, kind):
    """The order of the labels does not count, and neither does how their text is given."""
    lookup = getattr(registry, kind)
    metric = lookup("m", method="GET", code="200")
    assert lookup("m", code="200", method="GET") is metric
    assert lookup("m", code=200, method=Method.GET) is metric
    assert lookup("m", method="GET", code="404") is not metric
    assert lookup("m") is not metric


def test_values_that_are_equal_and_read_differently_are_different_series(registry):
    """1, True and 1.0 are equal in Python, and not as text."""
    for value in ("1", True, 1.0, 1):
        registry.counter("c", v=value).inc()
        registry.counter("c", v=value).inc()
    counters = registry.snapshot().counters
    assert {key: each.value for key, each in counters.items()} == {
        "c{v,1}": 4,
        "c{v,True}": 2,
        "c{v,1.0}": 2,
    }


def test_values_of_labels_are_any_objects(registry):
    """What has no hash has a text all the same; what is no UTF-8 becomes U+FFFD."""
    registry.counter("c", v=["a", 1]).inc()
    registry.counter("c", v="\udc80").inc()
    registry.counter("c", v='say "hi"\n,{}').inc()
    labels = [each.labels["v"] for each in registry.snapshot().counters.values()]
    assert labels == ["['a', 1]", "\ufffd", 'say "hi"\n,{}']


@pytest.mark.parametrize("label", ["name", "self", "kind", "value", "registry"])
def test_labels_may_have_the_names_of_parameters(registry, label):
    """A lookup's own parameters are positional, but for a histogram's `buckets`."""
    assert registry.counter("c", **{label: "x"}).labels == {label: "x"}
    assert registry.gauge("g", **{label: "x"}).labels == {label: "x"}
    assert registry.histogram("h", **{label: "x"}).labels == {label: "x"}


@pytest.mark.parametrize("name", ["", "1st", "a b", "é", 'a"', "a\n", "a{b}", "a,b", None, 7, [1]])
def test_a_bad_name_is_an_error_that_says_the_rule(registry, name):
    """Nothing is registered then."""
    for lookup in (registry.counter, registry.gauge, registry.histogram):
        with pytest.raises(MetricError, match="is no name of a metric") as caught:
            lookup(name)
        assert repr(name) in str(caught.value)
    assert registry.snapshot().to_json() == b"{}"


@pytest.mark.parametrize("label", ["", "1st", "a-b", "é", "__reserved", "a,b", 'a"'])
def test_a_bad_label_is_an_error_that_names_the_metric(registry, label):
    """Nothing is registered then."""
    with pytest.raises(MetricError, match="counter 'requests'") as caught:
        registry.counter("requests", **{label: "x"})
    assert repr(label) in str(caught.value)
    assert registry.snapshot().to_json() == b"{}"


def test_le_is_no_label_of_a_histogram(registry):
    """Prometheus puts its own there."""
    with pytest.raises(MetricError, match="'le' of histogram 'h' is reserved"):
        registry.histogram("h", le="1")


def test_a_name_is_of_one_kind(registry):
    """The error names both kinds."""
    registry.counter("jobs", a="1")
    with pytest.raises(MetricError, match="'jobs' is a counter already, so the gauge needs"):
        registry.gauge("jobs")
    with pytest.raises(MetricError, match="'jobs' is a counter already, so the histogram needs"):
        registry.histogram("jobs", a="1")


def test_a_histogram_has_one_set_of_buckets(registry):
    """Other buckets are an error; leaving them out takes what there is."""
    histogram = registry.histogram("h", buckets=[2, 1])
    assert registry.histogram("h", (1, 2)) is histogram
    assert registry.histogram("h") is histogram
    assert registry.histogram("h", a="1").bounds == (1, 2)
    with pytest.raises(MetricError, match=r"histogram 'h' has the buckets \(1.0, 2.0\) already"):
        registry.histogram("h", buckets=[1, 2, 3])
    registry.histogram("usual")
    with pytest.raises(MetricError, match="has the buckets"):
        registry.histogram("usual", buckets=[1])
    assert registry.histogram("usual", buckets=list(DEFAULT_BUCKETS)).bounds == DEFAULT_BUCKETS


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (("counter", "a.b"), ("counter", "a_b"), "a_b"),
        (("counter", "a"), ("counter", "a_total"), "a"),
        (("counter", "a"), ("gauge", "a_total"), "a_total"),
        (("histogram", "a"), ("gauge", "a_count"), "a_count"),
        (("gauge", "a_ms"), ("gauge", "a_seconds"), "a_seconds"),
    ],
)
def test_two_names_that_are_one_in_prometheus_are_an_error(registry, first, second, shared):
    """It is told at the lookup, where the names are, and not by a scrape that fails."""
    getattr(registry, first[0])(first[1])
    with pytest.raises(MetricError, match="rename one of them") as caught:
        getattr(registry, second[0])(second[1])
    assert all(repr(name) in str(caught.value) for name in (first[1], second[1], shared))


class TestOverflow:
    """More series than there may be."""

    @pytest.fixture
    def registry(self):
        """A registry that is full, of counters of users."""
        registry = Registry(max_series=3)
        for user in range(3):
            registry.counter("requests", user=user).inc()
        return registry

    def test_new_series_share_one_that_works_and_is_seen(self, registry, caplog):
        """The total stays right; the overflow is counted, and reported once."""
        with caplog.at_level(logging.WARNING, logger="mist.metrics"):
            for user in range(3, 10):
                registry.counter("requests", user=user).inc()
        counters = registry.snapshot().counters
        assert counters["requests{mist_overflow,true}"].value == 7
        assert counters["mist_metrics_overflow{metric,requests}"].value == 7
        assert sum(each.value for each in counters.values() if each.name == "requests") == 10
        (record,) = caplog.records
        assert record.filename == "test_registry.py"
        assert "counter 'requests'" in caplog.text
        assert "max_series" in caplog.text

    def test_series_that_are_there_stay_apart(self, registry):
        """The limit takes nothing away."""
        registry.counter("requests", user=9).inc()
        registry.counter("requests", user=1).inc()
        assert registry.snapshot().counters["requests{user,1}"].value == 2

    def test_new_names_work_and_are_not_kept(self, registry):
        """Names made up without end cannot fill the memory either."""
        for number in range(1000):
            registry.counter(f"c{number}").inc()
            registry.gauge(f"g{number}", a=number).set(1)
            registry.histogram(f"h{number}", buckets=(number, number + 1)).observe(1)
        snapshot = registry.snapshot()
        assert not snapshot.gauges
        assert not snapshot.histograms
        assert {each.name for each in snapshot.counters.values()} == {
            "requests",
            "mist_metrics_overflow",
        }
        assert snapshot.counters["mist_metrics_overflow{metric,(new names)}"].value == 3000

    def test_mistakes_are_told_beyond_the_limit_too(self, registry):
        """A name that breaks a rule is no matter of how many there are."""
        with pytest.raises(MetricError):
            registry.counter("a b")
        with pytest.raises(MetricError):
            registry.gauge("requests", user=77)

    def test_the_limit_is_exact_under_threads(self):
        """Eight threads that create series at once do not get past it."""
        registry = Registry(max_series=100)

        def create(thread):
            for number in range(50):
                registry.counter("c", v=f"{thread}-{number}").inc()

        threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counters = registry.snapshot().counters
        assert sum(each.name == "c" for each in counters.values()) == 101
        assert sum(each.value for each in counters.values() if each.name == "c") == 400

    def test_lookups_with_labels_in_every_order_stay_bounded(self):
        """What speeds lookups up is forgotten before it grows without end."""
        registry = Registry(max_series=2)
        for _ in range(3):
            for first in "abcdef":
                for second in "abcdef":
                    if first != second:
                        registry.counter("c", **{first: "1", second: "1"})
        assert len(registry._counters) <= 8


class TestBeforeSnapshot:
    """Functions that set what is not worth following."""

    def test_every_snapshot_sees_what_they_set(self, registry):
        """They run first."""
        queue = []
        registry.before_snapshot(lambda: registry.gauge("queued").set(len(queue)))
        queue.extend("abc")
        assert registry.snapshot().gauges["queued"].value == 3

    def test_one_that_fails_costs_nothing_else_and_is_logged_once(self, registry, caplog):
        """The others run, and the snapshot is taken."""

        @registry.before_snapshot
        def broken():
            raise RuntimeError("no such queue")

        registry.before_snapshot(registry.counter("asked").inc)
        assert registry.snapshot().counters["asked"].value == 1
        assert registry.snapshot().counters["asked"].value == 2
        (record,) = caplog.records
        assert "broken" in record.getMessage()
        assert "no such queue" in caplog.text

    def test_one_may_take_a_snapshot_itself(self, registry):
        """That one does not call it again."""
        registry.before_snapshot(
            lambda: registry.gauge("size").set(len(registry.snapshot().gauges))
        )
        assert registry.snapshot().gauges["size"].value == 1


def test_json_has_labels_in_the_order_of_the_first_lookup(registry):
    """As mist-go, which has them in the order of the call."""
    registry.counter("c", b="1", a="2")
    registry.counter("c", a="2", b="1").inc()
    assert json.loads(registry.snapshot().to_json())["counters"] == {
        "c{b,1,a,2}": {"name": "c", "labels": ["b", "1", "a", "2"], "value": 1}
    }


def test_snapshots_are_values(registry):
    """What is recorded later does not change them; they compare and print."""
    registry.counter("c").inc()
    before = registry.snapshot()
    assert before == registry.snapshot()
    registry.counter("c").inc()
    assert before.counters["c"].value == 1
    assert before != registry.snapshot()
    assert repr(before.counters["c"]) == "CounterSnapshot(labels={}, name='c', value=1)"
