"""Counters."""

import pytest

from mist.metrics import MetricError, Registry


@pytest.fixture
def counter():
    """A counter."""
    return Registry().counter("requests", method="GET")


def test_counting(counter):
    """Ones and whole numbers add up, as ints."""
    counter.inc()
    counter.add(41)
    counter.add(0)
    assert counter.value == 42
    assert type(counter.value) is int


def test_reading_changes_nothing(counter):
    """The value is the same however often it is read."""
    counter.inc()
    assert [counter.value for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    "n", [-1, -1.0, 0.5, float("nan"), float("inf"), -float("inf"), 2**63, 1e300, "1", None, b"1"]
)
def test_what_cannot_be_counted_is_an_error_that_names_the_counter(counter, n):
    """Mist-go counts in int64: nothing negative, no fractions, nothing that is no number."""
    with pytest.raises(MetricError, match="counter 'requests' takes whole numbers") as caught:
        counter.add(n)
    assert isinstance(caught.value, ValueError)
    assert counter.value == 0


def test_what_counts_as_a_whole_number_is_taken(counter):
    """A float without a fraction and an object with an index, such as numpy's ints, count."""

    class Three:
        def __index__(self):
            return 3

    counter.add(2.0)
    counter.add(Three())
    counter.add(True)
    assert counter.value == 6
    assert type(counter.value) is int


def test_large_counts_are_exact_up_to_the_limit_of_int64(counter):
    """No float is involved; beyond the limit the value stays there and JSON remains valid."""
    counter.add(2**53)
    counter.inc()
    assert counter.value == 2**53 + 1
    for _ in range(3):
        counter.add(2**63 - 1)
    assert counter.value == 2**63 - 1


def test_a_counter_shows_what_it_is(counter):
    """Name and labels are attributes and in the repr; the module in it is the public one."""
    assert (counter.name, counter.labels) == ("requests", {"method": "GET"})
    assert repr(counter) == "<Counter requests{method='GET'}>"
