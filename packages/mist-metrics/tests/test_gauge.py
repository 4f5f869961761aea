"""Gauges."""

import logging
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.metrics import Registry


@pytest.fixture
def registry():
    """A registry."""
    return Registry()


def test_levels(registry):
    """A gauge is set, raised and lowered."""
    gauge = registry.gauge("level")
    gauge.set(10)
    gauge.inc()
    gauge.dec()
    gauge.add(2.5)
    gauge.add(-0.5)
    assert gauge.value == 12
    assert type(gauge.value) is float


@given(st.lists(st.tuples(st.sampled_from(["set", "add"]), st.integers(-1000, 1000)), max_size=600))
def test_operations_take_effect_in_their_order(operations):
    """However many are pending, the level is what doing one after the other gives."""
    gauge = Registry().gauge("level")
    level = 0
    for name, value in operations:
        getattr(gauge, name)(value)
        level = value if name == "set" else level + value
    assert gauge.value == level


@pytest.mark.parametrize("value", [Decimal("1.5"), Fraction(3, 2)])
def test_all_kinds_of_numbers_are_taken(registry, value):
    """What has a float is a number."""
    registry.gauge("level").set(value)
    assert registry.gauge("level").value == 1.5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400, "1", None])
def test_what_is_no_finite_number_leaves_the_level_and_is_reported(registry, caplog, value):
    """One bad value ends neither the program nor the exposition; it is counted and logged."""
    gauge = registry.gauge("level")
    gauge.set(5)
    with caplog.at_level(logging.WARNING, logger="mist.metrics"):
        gauge.set(value)
        gauge.add(value)
    assert gauge.value == 5
    assert registry.counter("mist_metrics_refused", metric="level").value == 2
    assert [record.filename for record in caplog.records] == ["test_gauge.py"]
    assert repr(value) in caplog.text
    assert "level" in caplog.text


def test_an_overflowing_level_stays_finite(registry):
    """JSON has no infinity: the level stays at the largest float."""
    gauge = registry.gauge("level")
    for _ in range(3):
        gauge.add(sys.float_info.max)
    assert gauge.value == sys.float_info.max
