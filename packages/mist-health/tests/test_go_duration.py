"""Durations as Go writes them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.health.go_duration import go_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.499, "0s"),
        (0.5, "1s"),
        (1.5, "2s"),
        (2.5, "3s"),
        (59.4, "59s"),
        (59.5, "1m0s"),
        (60, "1m0s"),
        (3599.5, "1h0m0s"),
        (3600, "1h0m0s"),
        (3605, "1h0m5s"),
        (13338, "3h42m18s"),
        (86400, "24h0m0s"),
        (360_000, "100h0m0s"),
    ],
)
def test_durations_are_written_as_go_writes_them(seconds, text):
    """Rounded to seconds, halves up; hours are the largest unit; no leading unit that is zero."""
    assert go_duration(seconds) == text


@given(st.integers(0, 290 * 365 * 86400), st.floats(0, 0.49))
def test_a_duration_can_be_read_back(whole, fraction):
    """Every duration has Go's grammar, and its parts add up to the rounded seconds."""
    found = re.fullmatch(
        r"(?:([1-9]\d*)h)?(?:([1-5]?\d)m)?([1-5]?\d)s", go_duration(whole + fraction)
    )
    assert found
    hours, minutes, seconds = found.groups()
    assert hours is None or minutes is not None
    assert minutes != "0" or hours
    assert int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds) == whole
