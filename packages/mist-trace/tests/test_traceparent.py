"""The value of `traceparent`."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mist.trace import TraceContext, format_traceparent, parse_traceparent

TRACE = "12345678901234567890123456789012"
PARENT = "1234567890123456"
VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]")


def test_headers_are_read_as_mist_go_reads_them(golden):
    """The verdict on every header is that of mist-go, but for version ff, which W3C forbids."""
    records = [record for record in golden if "header" in record]
    assert len(records) == 9
    for record in records:
        found = parse_traceparent(record["header"])
        if record["header"].startswith("ff"):
            assert found is None
        elif record["ok"]:
            assert (found.trace_id, found.parent_id) == (record["trace_id"], record["parent_id"])
        else:
            assert found is None, record


def test_ids_travel_as_mist_go_sends_them(golden):
    """Of a longer trace id the last 32 digits are sent, of a span id the last 16."""
    records = [record for record in golden if "inject_trace_id" in record]
    assert len(records) == 2
    for record in records:
        header = format_traceparent(record["inject_trace_id"], "0" * 16 + PARENT)
        assert header == f"00-{record['traceparent_trace_field']}-{PARENT}-01"


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("ff", True)]
)
def test_flags_are_a_mask(flags, sampled):
    """The sampled bit is read among others, and the others are not sent on."""
    context = parse_traceparent(f"00-{TRACE}-{PARENT}-{flags}")
    assert context == TraceContext(TRACE, PARENT, sampled=sampled)
    sent = format_traceparent(TRACE, PARENT, sampled=context.sampled)
    assert sent == f"00-{TRACE}-{PARENT}-0{sampled:d}"


@pytest.mark.parametrize(
    "header",
    [
        f"01-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
        f"fe-{TRACE}-{PARENT}-01-",
    ],
)
def test_future_versions_are_read_as_far_as_known(header):
    """What a later version adds at the end is passed over."""
    assert parse_traceparent(header) == TraceContext(TRACE, PARENT)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        f"ff-{TRACE}-{PARENT}-01",
        f"FE-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like",
        f"00-{TRACE}-{PARENT}-01.",
        f"00-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
        f"00-{TRACE}-{PARENT}-01\n",
        f" 00-{TRACE}-{PARENT}-01",
        f".0-{TRACE}-{PARENT}-01",
        f"0.-{TRACE}-{PARENT}-01",
        f"000-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-.{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE[1:]}.-{PARENT}-01",
        f"00-{TRACE}3-{PARENT}-01",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-.{PARENT[1:]}-01",
        f"00-{TRACE}-{PARENT[1:]}.-01",
        f"00-{TRACE}-{PARENT}7-01",
        f"00-{TRACE}-{PARENT[1:]}-01",
        f"00-{TRACE}-{PARENT}-.0",
        f"00-{TRACE}-{PARENT}-0.",
        f"00-{TRACE}-{PARENT}-001",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-0A",
        f"00_{TRACE}_{PARENT}_01",
        f"00-{TRACE[:31]}\uff11-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
        "00-" + "a" * 100_000,
    ],
)
def test_malformed_headers_are_refused(header):
    """Whatever differs from the format by a character is no context at all."""
    assert parse_traceparent(header) is None


@given(st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"))
def test_reading_never_raises_and_what_is_read_can_be_written(header):
    """Any text is either refused or gives ids that make a valid header again."""
    context = parse_traceparent(header)
    if context is not None:
        sent = format_traceparent(context.trace_id, context.parent_id, sampled=context.sampled)
        assert parse_traceparent(sent) == context


@given(st.text(), st.text(), st.booleans())
@example("", "", True)
@example("0" * 32, "0" * 16, False)
@example("a\r\nSet-Cookie: x", "\r\n", True)
@example("\ud800", "\udfff", True)
@example("A3F2B1C4", "İ", True)
def test_whatever_the_ids_the_header_is_valid(trace_id, span_id, sampled):
    """No id, however it came about, can put anything else into a header."""
    header = format_traceparent(trace_id, span_id, sampled=sampled)
    assert VALID.fullmatch(header)
    assert format_traceparent(trace_id, span_id, sampled=sampled) == header


def test_short_ids_are_padded_and_others_digested():
    """A short hex id keeps its digits; one that is no number becomes another that is."""
    assert format_traceparent("a3f2b1c4", "AB") == f"00-{'a3f2b1c4':0>32}-{'ab':0>16}-01"
    first, second = (format_traceparent(each, PARENT) for each in ("job 1", "job 2"))
    assert first != second


def test_contexts_are_compared_and_shown_by_what_they_hold():
    """Two contexts with the same fields are equal."""
    context = TraceContext(TRACE, PARENT, tracestate=("a=1",))
    assert context == TraceContext(TRACE, PARENT, tracestate=("a=1",))
    assert len({context, TraceContext(TRACE, PARENT, tracestate=("a=1",))}) == 1
    assert context != TraceContext(TRACE, PARENT)
    assert context != "x"
    assert repr(context) == (
        f"TraceContext('{TRACE}', '{PARENT}', sampled=True, tracestate=('a=1',))"
    )
