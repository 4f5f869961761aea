"""Numbers, texts and keys in the JSON."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.metrics import MetricError, Registry, Snapshot
from mist.metrics.go_json import bound, number, quoted

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "as_json", "as_g"),
    [
        (1.0, "1", "1"),
        (-1.5, "-1.5", "-1.5"),
        (0.0, "0", "0"),
        (-0.0, "-0", "-0"),
        (100000.0, "100000", "100000"),
        (1e6, "1000000", "1e+06"),
        (1234567.0, "1234567", "1.234567e+06"),
        (123456.789, "123456.789", "123456.789"),
        (0.0001, "0.0001", "0.0001"),
        (0.00001, "0.00001", "1e-05"),
        (1e-6, "0.000001", "1e-06"),
        (1.5e-7, "1.5e-7", "1.5e-07"),
        (1e20, "100000000000000000000", "1e+20"),
        (1e21, "1e+21", "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308"),
        (5e-324, "5e-324", "5e-324"),
        (3800.000000000001, "3800.000000000001", "3800.000000000001"),
    ],
)
def test_floats_are_written_as_go_writes_them(value, as_json, as_g):
    """Values follow encoding/json, bucket keys follow `%g`."""
    assert (number(value), bound(value)) == (as_json, as_g)


@given(FINITE)
def test_every_float_comes_back(value):
    """Both forms have all the digits that the float needs."""
    for text in (number(value), bound(value)):
        assert float(text) == value
        assert math.copysign(1, float(text)) == math.copysign(1, value)


def test_text_is_escaped_as_go_escapes_it():
    """Go escapes what is dangerous in HTML, and nothing else beyond JSON's own rules."""
    text = 'a"b\\c\n\t\x01<>&\u2028\u2029é😀\x7f'
    assert quoted(text) == r'"a\"b\\c\n\t\u0001\u003c\u003e\u0026\u2028\u2029é😀' + '\x7f"'


@given(st.text())
def test_every_label_value_comes_back(value):
    """Whatever text is a label's value, JSON holds it, and reading gives the same series."""
    registry = Registry()
    registry.counter("c", label=value).inc()
    snapshot = registry.snapshot()
    assert json.loads(snapshot.to_json())["counters"]
    assert Snapshot.from_json(snapshot.to_json()) == Snapshot(
        snapshot.counters, snapshot.gauges, snapshot.histograms
    )


def test_commas_in_values_never_merge_two_series():
    """Where mist-go's key is the same for two series, the later one gets another key."""
    registry = Registry()
    registry.counter("c", a="1", b="2").add(1)
    registry.counter("c", a="1,b,2").add(2)
    registry.counter("c", a="1,b", _="x").add(3)
    counters = json.loads(registry.snapshot().to_json())["counters"]
    assert {key: each["value"] for key, each in counters.items()} == {
        "c{a,1,b,2}": 1,
        'c["a","1,b,2"]': 2,
        "c{a,1,b,_,x}": 3,
    }


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "c"]),
            st.text(alphabet='ab12,{}[]"\\', max_size=8),
            max_size=3,
        ),
        max_size=8,
    )
)
def test_no_series_is_ever_lost_in_the_json(labelled):
    """There are as many members as there are different series, with their values."""
    registry = Registry()
    expected = {}
    for number_, labels in enumerate(labelled, start=1):
        registry.counter("c", **labels).add(number_)
        series = frozenset(labels.items())
        expected[series] = expected.get(series, 0) + number_
    counters = json.loads(registry.snapshot().to_json()).get("counters", {})
    found = {
        frozenset(
            zip(each.get("labels", [])[::2], each.get("labels", [])[1::2], strict=True)
        ): each["value"]
        for each in counters.values()
    }
    assert found == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"counters":[]}',
        b'{"counters":{"c":1}}',
        b'{"counters":{"c":{"name":1,"value":1}}}',
        b'{"counters":{"c":{"name":"c","value":1.5}}}',
        b'{"counters":{"c":{"name":"c","value":true}}}',
        b'{"gauges":{"g":{"name":"g","value":NaN}}}',
        b'{"counters":{"c":{"name":"c"}}}',
        b'{"counters":{"c":{"name":"c","labels":["a"],"value":1}}}',
        b'{"histograms":{"h":{"name":"h","count":1}}}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_not_metrics_is_refused(data):
    """Reading anything else is one clear error with a code."""
    with pytest.raises(MetricError, match="not the JSON of metrics") as caught:
        Snapshot.from_json(data)
    assert caught.value.code == "validation"


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | FINITE | st.text(max_size=3),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["counters", "gauges", "histograms", "name", "value", "labels", "buckets"]
                ),
                inner,
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_reading_never_fails_otherwise(data):
    """Hostile input is metrics or a MetricError."""
    with contextlib.suppress(MetricError):
        Snapshot.from_json(data).to_json()
