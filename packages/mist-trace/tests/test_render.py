"""Traces as text."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mist.trace import add_sink, render, start
from mist.trace.columns import shown_width

MS = 1_000_000


def span(name, span_id, parent_id="", *, at=0, ms=1.0, status="ok", trace_id="t", **attrs):
    """Return a payload."""
    return {
        "trace_id": trace_id,
        "span_id": span_id,
        "parent_id": parent_id,
        "operation": name,
        "start_ns": 10**18 + at * MS,
        "end_ns": 10**18 + int((at + ms) * MS),
        "status": status,
        "attrs": attrs,
    }


def test_a_trace_is_a_tree_with_totals():
    """Spans stand below their parents in order of time; the sums stand on top."""
    spans = [
        span("score", "c", "a", at=7, ms=0.05),
        span("judge", "d", "c", at=8, ms=2, status="error", code="timeout", error="too late"),
        span("infer", "b", "a", at=1, ms=900, tokens_in=1200, tokens_out=500, cost_usd=0.0125),
        span("pipeline", "a", ms=61_000, tokens_out=1, cost_usd=0.00002),
    ]
    assert render(spans, width=80) == (
        "trace t  4 spans  1m 01.0s  1200 → 501  $0.0125\n"
        "pipeline     1m 01.0s  ok     0 → 1       $2.0e-05\n"
        "├─ infer     900.0 ms  ok     1200 → 500  $0.0125\n"
        "└─ score        50 µs  ok\n"
        "   └─ judge    2.0 ms  error                        timeout  too late"
    )


def test_live_spans_are_drawn_too():
    """Spans and payloads may be mixed; one that is open has no duration."""
    ended = []
    with add_sink(ended.append), start("outer") as outer, start("inner"):
        pass
    lines = render([outer.to_payload(), ended[0]], width=80).splitlines()
    assert [line.split()[0] for line in lines] == ["trace", "outer", "└─"]
    with start("open") as span:
        assert render([span], width=80).splitlines()[1] == "open    open"


def test_several_traces_stand_apart():
    """Each trace has a heading, and the earliest comes first."""
    text = render([span("late", "b", at=5, trace_id="2"), span("early", "a", trace_id="1")])
    assert re.findall(r"^trace (\d)|^$", text, re.MULTILINE) == ["1", "", "2"]


def test_nothing_is_an_empty_text():
    """Without spans there is nothing to draw."""
    assert render([]) == ""


def test_a_parent_known_by_half_its_id_is_found():
    """A parent that came in by a `traceparent` is named by its last 16 digits."""
    caller, callee = "f" * 16 + "1234567890123456", "a" * 32
    lines = render([span("caller", caller), span("callee", callee, caller[16:], at=1)])
    assert lines.splitlines()[2].startswith("└─ callee")


def test_orphans_stay_on_top():
    """A span whose parent is not there is drawn, and says so."""
    lines = render([span("orphan", "a", "b"), span("child", "c", "a")], width=80).splitlines()
    assert lines[1].startswith("orphan")
    assert lines[1].endswith("(parent elsewhere)")
    assert lines[2].startswith("└─ child")


def test_cycles_are_broken():
    """Spans that are their own ancestors are drawn once each."""
    spans = [
        span("one", "a", "c"),
        span("two", "b", "a"),
        span("three", "c", "b"),
        span("self", "s", "s", at=1),
    ]
    lines = render(spans, width=80).splitlines()
    assert [re.search(r"\w+", line)[0] for line in lines[1:]] == ["one", "two", "three", "self"]
    assert sum("(its own ancestor)" in line for line in lines) == 2


def test_ties_and_duplicates_are_in_a_fixed_order():
    """Spans that start together are ordered by id, and one that came twice is shown once."""
    spans = [span("b", "2"), span("a", "1"), span("a", "1")]
    assert render(spans) == render(spans[::-1])
    assert render(spans).count("\n") == 2


def test_nothing_in_a_span_controls_the_terminal():
    """Control characters, line ends and direction overrides are shown as escapes."""
    bad = "\x1b[31m\r\n\u202e\x9b\ud800"
    text = render([span(bad, "a", status=bad, error=bad, trace_id=bad)], width=400)
    assert text.count("\n") == 1
    assert all(each.isprintable() for each in text.replace("\n", ""))
    assert "\\x1b[31m\\r\\n\\u202e\\x9b\\ud800" in text


def test_no_line_is_wider_than_asked_for():
    """Long names and errors are cut, wide characters count for two, deep trees are shortened."""
    deep = [span("評価" * 20, "0", error="no" * 99, status="error")]
    deep += [span(f"level {n}", str(n), str(n - 1), at=n) for n in range(1, 200)]
    for width in (0, 40, 80, 120):
        lines = render(deep, width=width).splitlines()
        assert len(lines) == 201
        assert max(map(shown_width, lines)) <= max(width, 40)
    assert "[199] level 199" in lines[-1]


def test_columns_line_up_beside_wide_characters():
    """What stands beside a name begins in the same column on every line."""
    lines = render([span("評価", "a"), span("e\u0301clair", "b", at=1)], width=80).splitlines()
    ends = {shown_width(line[: line.index(" ms")]) for line in lines[1:]}
    assert len(ends) == 1


JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ID = st.sampled_from(["", "a", "b", "c", "x" * 40])


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "trace_id": ID,
                "span_id": ID,
                "parent_id": ID,
                "operation": JUNK,
                "start_ns": JUNK,
                "end_ns": JUNK,
                "status": JUNK,
                "attrs": JUNK
                | st.dictionaries(
                    st.sampled_from(["tokens_in", "tokens_out", "cost_usd", "error", "code"]), JUNK
                ),
            },
        ),
        max_size=8,
    )
)
def test_any_payloads_can_be_drawn(payloads):
    """Incomplete and senseless payloads are drawn as well as may be: each span once."""
    lines = render(payloads, width=60).splitlines()
    distinct = {(p.get("trace_id") or "", p.get("span_id") or "") for p in payloads}
    traces = len({trace for trace, _ in distinct})
    assert len([line for line in lines if line]) == len(distinct) + traces
    assert all(shown_width(line) <= 60 for line in lines)
