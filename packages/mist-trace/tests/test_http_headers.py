"""Trace context in headers: every case of the W3C's own tests, and worse."""

import re
from collections.abc import Mapping, MutableMapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers, MutableHeaders

from mist.trace import (
    current,
    extract_http,
    inject_http,
    parse_traceparent,
    start,
    start_with_trace_id,
)

TRACE = "12345678901234567890123456789012"
PARENT = "1234567890123456"
GOOD = f"00-{TRACE}-{PARENT}-00"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE = "".join(chr(each) for each in range(0x20, 0x7F) if chr(each) not in ",=")


def relay(*headers):
    """Go through a service: read what came in, and return what goes out."""
    outgoing: list[tuple[str, str]] = [("host", "x")]
    with extract_http(headers, "handle") as span:
        inject_http(outgoing)
    fields = dict(outgoing)
    return span, parse_traceparent(fields["traceparent"]), fields["tracestate"].split(",")


def goes_on(*headers):
    """Tell whether the trace that came in goes on."""
    span, sent, _ = relay(*headers)
    assert sent.parent_id == span.span_id[-16:] != PARENT
    assert sent.trace_id == span.trace_id
    return sent.trace_id == TRACE


def passed_on(*states):
    """Return the members of others that go out after these `tracestate` headers came in."""
    span, sent, (own, *others) = relay(
        ("traceparent", GOOD), *(("tracestate", state) for state in states)
    )
    assert own == f"mist={span.span_id}"
    assert sent.trace_id == TRACE
    return others


def test_without_headers_a_trace_begins():
    """No header, or only a tracestate, starts a trace with nobody else's state."""
    for headers in ((), [("tracestate", "foo=1")], [("tracestate", "foo=1,bar=2")]):
        span, sent, state = relay(*headers)
        assert span.parent_id == ""
        assert sent.trace_id == span.trace_id
        assert state == [f"mist={span.span_id}"]


def test_a_trace_goes_on_as_a_child():
    """The span has the caller's trace and the caller as its parent."""
    span, _, _ = relay(("traceparent", GOOD))
    assert (span.trace_id, span.parent_id) == (TRACE, PARENT)


@pytest.mark.parametrize("name", ["TraceParent", "TrAcEpArEnT", "TRACEPARENT", b"TraceParent"])
def test_names_are_read_in_any_case(name):
    """Header names match without case."""
    assert goes_on((name, GOOD))
    assert passed_on() == []
    _, _, (_, *others) = relay((name, GOOD), ("TraceSTATE", "foo=1"))
    assert others == ["foo=1"]


@pytest.mark.parametrize("name", ["trace-parent", "trace.parent", "tracepare\u212at", b"\xff", 3])
def test_other_names_are_other_headers(name):
    """A name that only looks alike is not ours."""
    assert not goes_on((name, GOOD))


@pytest.mark.parametrize("name", ["trace-state", "trace.state"])
def test_other_states_are_other_headers(name):
    """The same for the state."""
    _, _, (_, *others) = relay(("traceparent", GOOD), (name, "foo=1"))
    assert others == []


@pytest.mark.parametrize("space", [" {}", "\t{}", "{} ", "{}\t", "\t {} \t"])
def test_white_space_around_values_is_passed_over(space):
    """Spaces and tabs around a value do not belong to it."""
    assert goes_on(("traceparent", space.format(GOOD)))
    assert passed_on(space.format("foo=1")) == ["foo=1"]


@pytest.mark.parametrize(
    "headers",
    [
        [("traceparent", GOOD), ("traceparent", GOOD)],
        [("traceparent", GOOD.replace("9012-", "9011-")), ("traceparent", GOOD)],
        [("Traceparent", GOOD), (b"traceparent", GOOD.encode())],
        {"traceparent": [GOOD, GOOD]},
        {"traceparent": GOOD, "TraceParent": GOOD},
        {"traceparent": f"{GOOD}, {GOOD}"},
    ],
)
def test_several_traceparents_are_refused(headers):
    """Nobody can tell which of them is right, so the trace begins anew."""
    assert extract_http(headers, "op").trace_id != TRACE


@pytest.mark.parametrize(
    "header", [f"ff{GOOD[2:]}", "garbage", "", GOOD + ".", f"00-{'0' * 32}-{PARENT}-01"]
)
def test_a_malformed_traceparent_takes_the_state_with_it(header):
    """Where the one is refused, the other is not even read."""
    span, _, state = relay(("traceparent", header), ("tracestate", "foo=1"))
    assert span.trace_id != TRACE
    assert state == [f"mist={span.span_id}"]


@pytest.mark.parametrize(
    ("states", "members"),
    [
        (["foo=1,bar=2"], ["foo=1", "bar=2"]),
        (
            ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
            ["foo=1", "bar=2", "rojo=1", "congo=2", "baz=3"],
        ),
        ([""], []),
        (["foo=1", ""], ["foo=1"]),
        (["", "foo=1"], ["foo=1"]),
        (["foo=1,,\t ,bar=2,"], ["foo=1", "bar=2"]),
        (["foo=1 \t , \t bar=2, \t baz=3"], ["foo=1", "bar=2", "baz=3"]),
        (["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], ["foo=1", "bar=2", "baz=3"]),
        (["foo= 1"], ["foo= 1"]),
        ([f"{KEY}={VALUE}"], [f"{KEY}={VALUE}"]),
        ([f"{KEY}@a-z0-9_-*/={VALUE}"], [f"{KEY}@a-z0-9_-*/={VALUE}"]),
        (["0foo=1"], ["0foo=1"]),
        (["0tenant@system=1"], ["0tenant@system=1"]),
        (["foo=1", "z" * 256 + "=1"], ["foo=1", "z" * 256 + "=1"]),
        (["t" * 241 + "@" + "v" * 14 + "=1"], ["t" * 241 + "@" + "v" * 14 + "=1"]),
        (["foo=" + "v" * 256], ["foo=" + "v" * 256]),
        (["foo=1,mist=theirs,bar=2"], ["foo=1", "bar=2"]),
    ],
)
def test_states_are_kept_in_order(states, members):
    """Valid members of all headers go on, behind our own, which replaces an older one."""
    assert passed_on(*states) == members


@pytest.mark.parametrize(
    "states",
    [
        ["foo=1,foo=1"],
        ["foo=1,foo=2"],
        ["foo=1", "foo=1"],
        ["foo=1", "foo=2"],
        ["mist=1,mist=2,foo=1"],
        ["foo =1"],
        ["FOO=1"],
        ["foo.bar=1"],
        ["foo@=1,bar=2"],
        ["@foo=1,bar=2"],
        ["foo@@bar=1,bar=2"],
        ["foo@bar@baz=1,bar=2"],
        ["foo@1bar=1"],
        ["_foo=1"],
        ["foo=1", "z" * 257 + "=1"],
        ["foo=1", "t" * 242 + "@v=1"],
        ["foo=1", "t@" + "v" * 15 + "=1"],
        ["foo=bar=baz"],
        ["foo=,bar=3"],
        ["foo,bar=3"],
        ["=1"],
        ["foo=" + "v" * 257],
        ["foo=ä"],
        ["foo=\x7f"],
        ["foo=1\n,bar=2"],
        ["foo=a\r\nset-cookie: b"],
        [",".join(f"bar{n:02}={n}" for n in range(33))],
        ["x" * 100_000],
        ["foo=1" + "," * 100_000],
    ],
)
def test_an_invalid_state_is_left_out_whole(states):
    """One fault drops all members, while the trace goes on."""
    assert passed_on(*states) == []


def test_32_members_come_in_and_32_go_out():
    """Our own member displaces the last one of a full state."""
    full = [f"bar{n:02}={n:02}" for n in range(32)]
    assert passed_on(*(",".join(full[n : n + 10]) for n in (0, 10, 20, 30))) == full[:31]


def test_a_long_state_goes_through():
    """More than 512 characters are propagated, all of them."""
    members = [f"k{n}={'v' * 100}" for n in range(31)]
    assert passed_on(",".join(members)) == members


@pytest.mark.parametrize("flags", ["00", "01", "02", "03", "ff"])
def test_the_sampled_flag_goes_on(flags):
    """The flag is kept, also for spans further in, and no other is sent."""
    headers: dict[str, str] = {}
    with extract_http({"traceparent": GOOD[:-2] + flags}, "op") as span, start("inner") as inner:
        inject_http(headers)
    assert span.sampled is inner.sampled is bool(int(flags, 16) & 1)
    assert headers["traceparent"].endswith(f"-0{inner.sampled:d}")


def test_the_state_goes_on_from_spans_further_in():
    """Every span of the trace sends what came in, with its own id in front."""
    headers: dict[str, str] = {}
    incoming = {"traceparent": GOOD, "tracestate": "foo=1"}
    with extract_http(incoming, "op") as span, start("inner") as inner:
        inject_http(headers)
    assert headers["tracestate"] == f"mist={inner.span_id},foo=1"
    assert span.tracestate == ("foo=1",)


def test_several_requests_out_of_one_have_parents_of_their_own():
    """Each outgoing request in a span of its own names another parent."""
    sent = []
    with extract_http({"traceparent": GOOD}, "op"):
        for _ in range(3):
            headers: dict[str, str] = {}
            with start("call"):
                inject_http(headers)
            sent.append(parse_traceparent(headers["traceparent"]))
    assert {each.trace_id for each in sent} == {TRACE}
    assert len({each.parent_id for each in sent}) == 3


class Caseless(MutableMapping):
    """A mapping that ignores the case of names, and is particular about missing ones."""

    def __init__(self, **items):
        self.inner = {name.lower(): value for name, value in items.items()}

    def __getitem__(self, name):
        return self.inner[name.lower()]

    def __setitem__(self, name, value):
        self.inner[name.lower()] = value

    def __delitem__(self, name):
        del self.inner[name.lower()]

    def __iter__(self):
        return iter(self.inner)

    def __len__(self):
        return len(self.inner)


@pytest.mark.parametrize(
    "headers",
    [
        {"Traceparent": GOOD, "Tracestate": "a=1,b=2"},
        {b"traceparent": GOOD.encode(), b"tracestate": b"a=1,b=2"},
        {"Traceparent": [GOOD], "tracestate": ["a=1", "b=2"]},
        {"traceparent": (GOOD.encode(),), "tracestate": (b"a=1", b"b=2")},
        [(b"traceparent", GOOD.encode()), (b"tracestate", b"a=1"), (b"tracestate", b"b=2")],
        Caseless(TraceParent=GOOD, TraceState="a=1,b=2"),
        Headers(raw=[(b"traceparent", GOOD.encode()), (b"tracestate", b"a=1,b=2")]),
        Headers(
            raw=[
                (b"traceparent", GOOD.encode()),
                (b"tracestate", b"a=1"),
                (b"tracestate", b"b=2"),
            ]
        ),
    ],
    ids=lambda headers: type(headers).__name__,
)
def test_headers_of_every_shape_are_read(headers):
    """Mappings of texts, bytes and lists, and the pairs of an ASGI scope."""
    span = extract_http(headers, "op", method="GET")
    assert (span.trace_id, span.parent_id) == (TRACE, PARENT)
    assert span.tracestate == ("a=1", "b=2")
    assert span.attrs() == {"method": "GET"}


def plain(headers):
    """Return headers as pairs of texts, with their names in lower case."""
    items = headers.items() if isinstance(headers, Mapping) else headers
    return sorted(
        (str(name, "ascii"), str(value, "ascii"))
        if isinstance(name, bytes)
        else (name, value[0] if isinstance(value, list) else value)
        for name, value in items
    )


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, str),
        ({"Host": "x", "Traceparent": "old", "TRACESTATE": "old"}, str),
        ({b"Host": b"x", b"Traceparent": b"old"}, bytes),
        ({"Host": ["x"], "traceparent": ["old", "older"]}, str),
        ([], bytes),
        ([(b"Host", b"x"), (b"Traceparent", b"old"), (b"traceparent", b"older")], bytes),
        ([("Host", "x"), ("traceparent", "old")], str),
        (Caseless(TraceParent="old"), str),
        (MutableHeaders(raw=[(b"traceparent", b"old"), (b"traceparent", b"older")]), str),
    ],
)
def test_headers_of_every_shape_are_written(headers, kind):
    """Old entries in any case are replaced, others stay, and the form is that of what is there."""
    with start("op") as span:
        inject_http(headers)
    expected = [
        ("traceparent", f"00-{span.trace_id}-{span.span_id[-16:]}-01"),
        ("tracestate", f"mist={span.span_id}"),
    ]
    found = plain(headers)
    assert [pair for pair in found if pair[0] != "Host"] == expected
    names = list(headers) if isinstance(headers, Mapping) else [name for name, _ in headers]
    assert {type(name) for name in names} == {kind}


def test_without_a_current_span_nothing_is_written():
    """Headers are left as they are where there is no span."""
    headers = {"traceparent": "theirs"}
    inject_http(headers)
    assert headers == {"traceparent": "theirs"}


def test_without_usable_headers_the_current_span_is_the_parent():
    """As in mist-go, a request without context is a child of what is current here."""
    with start("outer") as outer:
        assert extract_http({}, "op").parent_id == outer.span_id
        assert extract_http({"traceparent": GOOD}, "op").parent_id == PARENT


def test_an_extracted_span_is_current_in_its_block(spans):
    """It is a span like any other."""
    with extract_http({"traceparent": GOOD}, "op") as span:
        assert current() is span
    assert spans == [span]


@pytest.mark.parametrize("bad", ["x\r\nset-cookie: a=b", "new\nline", "job 42", "é", "\x00"])
def test_no_trace_id_gets_anything_else_into_headers(bad):
    """Ids that are no hex digits, valid or not, leave as hex digits."""
    headers: dict[str, str] = {}
    with start_with_trace_id(bad, "op"):
        inject_http(headers)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers["traceparent"])
    assert re.fullmatch(r"mist=[0-9a-f]{32}", headers["tracestate"])


def test_a_trace_id_of_ones_own_holds_a_trace_together():
    """Two requests out of one trace with such an id agree on the id that they send."""
    sent = []
    with start_with_trace_id("job 42", "op"):
        for name in ("one", "two"):
            headers: dict[str, str] = {}
            with start(name):
                inject_http(headers)
            sent.append(parse_traceparent(headers["traceparent"]).trace_id)
    assert sent[0] == sent[1]


VALUES = st.recursive(
    st.none() | st.integers() | st.text() | st.binary() | st.just(GOOD) | st.just(b"\xff" * 99),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["traceparent", "TraceState", b"tracestate", "other", "", b"\xff"])


@given(st.lists(st.tuples(NAMES | st.text() | st.binary(), VALUES), max_size=6))
def test_no_header_makes_reading_raise(headers):
    """Whatever comes in, a span starts, and what goes out is valid."""
    outgoing: dict[str, str] = {}
    with extract_http(headers, "op"):
        inject_http(outgoing)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", outgoing["traceparent"])
    assert re.fullmatch(r"[\x20-\x7e]{0,20000}", outgoing["tracestate"])
    assert len(outgoing["tracestate"].split(",")) <= 32


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=40), max_size=4))
def test_what_is_sent_on_is_read_again_alike(states):
    """The state that one service sends, the next one takes as it is."""
    members = passed_on(*states)
    assert passed_on(",".join(members)) == members
