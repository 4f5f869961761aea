"""Spans as payloads."""

import datetime as dt
import enum
import json
from collections import OrderedDict, namedtuple
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.trace import start


def payload_of(**attrs):
    """Return the payload of a span with these attributes, after a look at it as JSON."""
    span = start("op", **attrs)
    span.end()
    payload = span.to_payload()
    assert json.loads(json.dumps(payload, allow_nan=False).encode("utf-8")) == payload
    return payload


def test_a_payload_has_the_fields_of_trace_span_in_order():
    """All fields are there, in the order of the wire."""
    with start("outer") as outer, start("inner", model="x") as inner:
        pass
    assert list(inner.to_payload().items()) == [
        ("trace_id", inner.trace_id),
        ("span_id", inner.span_id),
        ("parent_id", outer.span_id),
        ("operation", "inner"),
        ("start_ns", inner.start_ns),
        ("end_ns", inner.end_ns),
        ("status", "ok"),
        ("attrs", {"model": "x"}),
    ]


def test_what_is_empty_is_left_out():
    """A span without parent and attributes has neither in its payload."""
    assert payload_of().keys() == {
        "trace_id",
        "span_id",
        "operation",
        "start_ns",
        "end_ns",
        "status",
    }


class Color(enum.Enum):
    """An enumeration."""

    RED = 1


class Level(enum.IntEnum):
    """An enumeration of numbers."""

    HIGH = 3


class Broken:
    """An object without a text."""

    def __str__(self):
        raise RuntimeError


class Loud(str):
    """A text with a text of its own."""

    __slots__ = ()

    def __str__(self):
        return "loud"


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, "0x8000000000000000"),
        pytest.param(10**5000, hex(10**5000), id="huge"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("é", "é"),
        ("\ud800x", "?x"),
        (Loud("quiet"), "quiet"),
        (b"\xff", "b'\\xff'"),
        (Color.RED, "Color.RED"),
        (Level.HIGH, 3),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (PurePosixPath("/a"), "/a"),
        (Point(1, 2), [1, 2]),
        ((1, [2, {3}]), [1, [2, [3]]]),
        (OrderedDict(a=1), {"a": 1}),
        ({1: "x", None: Broken()}, {"1": "x", "None": "<Broken>"}),
        (Broken(), "<Broken>"),
    ],
)
def test_attributes_are_plain(value, plain):
    """What JSON has no form for becomes text, and nothing raises."""
    assert payload_of(a=value)["attrs"] == {"a": plain}


def test_endless_nesting_ends():
    """A value that contains itself is cut off at sixteen levels."""
    endless: list[object] = []
    endless.append(endless)
    assert json.dumps(payload_of(a=endless)["attrs"]["a"]).count("[") == 15


def test_a_payload_is_a_copy():
    """Changing a payload leaves the span's attributes alone."""
    span = start("op", a={"b": [1]})
    span.to_payload()["attrs"]["a"]["b"].append(2)
    assert span.attrs() == {"a": {"b": [1]}}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), ANYTHING))
def test_every_payload_is_json(attrs):
    """Whatever the attributes, a strict encoder takes the payload."""
    span = start("op")
    for key, value in attrs.items():
        span.set_attr(key, value)
    span.end()
    json.dumps(span.to_payload(), allow_nan=False).encode("utf-8")
