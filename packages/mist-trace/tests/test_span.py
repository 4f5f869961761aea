"""What a span holds, and how it ends."""

import asyncio
import re

import pytest

from mist.trace import current, new_id, span_id, start, start_with_trace_id, trace_id
from mist.trace import span as span_module

HEX = re.compile(r"[0-9a-f]{32}")


def test_a_first_span_begins_a_trace():
    """Without a current span, a new trace starts, with ids of 32 hex digits and no parent."""
    span = start("root")
    assert HEX.fullmatch(span.trace_id)
    assert HEX.fullmatch(span.span_id)
    assert span.trace_id != span.span_id
    assert span.parent_id == ""
    assert span.operation == "root"


def test_a_child_shares_the_trace_and_names_its_parent():
    """A span started inside another one is its child."""
    with start("parent") as parent, start("child") as child:
        assert (child.trace_id, child.parent_id) == (parent.trace_id, parent.span_id)
        assert child.span_id != parent.span_id


def test_only_a_with_block_makes_a_span_current():
    """A span made by hand is a child of the current one, and is not current itself."""
    with start("outer") as outer:
        by_hand = start("by hand")
        assert by_hand.parent_id == outer.span_id
        assert current() is outer
        by_hand.end()
    assert current() is None


def test_a_span_made_earlier_can_be_entered_later():
    """The `with` block of a span need not be where it was started."""
    span = start("later")
    with start("other"), span as entered:
        assert entered is span
        assert current() is span


def test_ids_of_the_current_span_are_empty_without_one():
    """`trace_id` and `span_id` are those of the current span, and empty texts without one."""
    assert (trace_id(), span_id()) == ("", "")
    with start("op") as span:
        assert (trace_id(), span_id()) == (span.trace_id, span.span_id)


def test_attributes_of_any_name_can_be_given():
    """The operation is positional only, so that an attribute may have its name, or `self`."""
    span = start("op", operation="x", self="y", **{"with space": 1})
    assert span.attrs() == {"operation": "x", "self": "y", "with space": 1}


def test_attrs_is_a_copy():
    """Changing what `attrs` returns leaves the span alone."""
    span = start("op", a=1)
    span.attrs()["a"] = 2
    span.set_attr("b", 3)
    assert span.attrs() == {"a": 1, "b": 3}


def test_a_block_ends_its_span_well(spans):
    """Leaving a block without an exception gives the status ok, and times."""
    with start("op") as span:
        assert (span.status, span.end_ns, span.duration_ns()) == ("", 0, 0)
    assert span.status == "ok"
    assert span.end_ns >= span.start_ns > 1_600_000_000_000_000_000
    assert span.duration_ns() == span.end_ns - span.start_ns
    assert span.duration_ms() == span.duration_ns() / 1e6
    assert spans == [span]


def test_ending_twice_is_harmless(spans):
    """The first end counts, and the sinks get the span once."""
    with start("op") as span:
        span.end("skipped")
        ended = span.end_ns
        span.end()
    assert (span.status, span.end_ns) == ("skipped", ended)
    assert spans == [span]


def test_an_ended_span_keeps_its_attributes():
    """What is set after the end, when sinks have the span, is not taken."""
    span = start("op", a=1)
    span.end()
    span.set_attr("a", 2)
    assert span.attrs() == {"a": 1}


def test_a_duration_is_never_negative(monkeypatch):
    """A wall clock that is set back between start and end does not turn time around."""
    # The system's clock cannot be moved in a test.
    moments = iter([2_000_000_000, 1_000_000_000])
    monkeypatch.setattr(span_module, "time_ns", lambda: next(moments))
    span = start("op")
    span.end()
    assert span.start_ns == 2_000_000_000
    assert 0 <= span.duration_ns() < 1_000_000_000


def fails(exc):
    """Return the span that an exception left."""
    with pytest.raises(type(exc)), start("op") as span:
        raise exc
    return span


class Coded(Exception):
    """An exception with a code."""

    def __init__(self, code):
        super().__init__("coded")
        self.code = code


class Unprintable(Exception):
    """An exception whose text cannot be had."""

    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("exc", "kind", "code", "text"),
    [
        (ValueError("bad"), "ValueError", "internal", "bad"),
        (TimeoutError("late"), "TimeoutError", "timeout", "late"),
        (ConnectionResetError("gone"), "ConnectionResetError", "transport", "gone"),
        (asyncio.CancelledError(), "asyncio.exceptions.CancelledError", "cancelled", ""),
        (KeyboardInterrupt(), "KeyboardInterrupt", "cancelled", ""),
        (SystemExit(3), "SystemExit", "internal", "3"),
        (Coded("rate_limit"), f"{__name__}.Coded", "rate_limit", "coded"),
        (Coded("made up"), f"{__name__}.Coded", "internal", "coded"),
        (Coded(404), f"{__name__}.Coded", "internal", "coded"),
        (Unprintable(), f"{__name__}.Unprintable", "internal", "(its text cannot be had)"),
    ],
)
def test_an_exception_is_recorded(exc, kind, code, text):
    """An exception gives the status error, its text, type and standard code; it goes on."""
    span = fails(exc)
    assert span.status == "error"
    assert span.attrs() == {"error": text, "error_type": kind, "code": code}


def test_what_was_set_is_not_overwritten_by_the_exception():
    """Attributes that the program has set itself stand."""
    attrs = {"code": "timeout", "error": "in my words"}
    with pytest.raises(ValueError, match="x"), start("op", **attrs) as span:
        raise ValueError("x")
    assert span.attrs()["code"] == "timeout"
    assert span.attrs()["error"] == "in my words"


def test_an_endless_error_text_is_cut():
    """The text of an exception takes 4096 characters at most."""
    assert len(fails(ValueError("x" * 10_000)).attrs()["error"]) == 4096


@pytest.mark.parametrize("exc", [GeneratorExit(), SystemExit(), SystemExit(0)])
def test_an_exit_with_success_is_no_error(exc):
    """Closing a generator or the program is not a failure of what was open."""
    span = fails(exc)
    assert (span.status, span.attrs()) == ("ok", {})


async def test_a_cancelled_operation_is_visibly_cancelled():
    """A cancelled task leaves a span with the code cancelled, and stays cancelled."""
    opened = []

    async def work():
        with start("work") as span:
            opened.append(span)
            await asyncio.sleep(3600)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (opened[0].status, opened[0].attrs()["code"]) == ("error", "cancelled")


def test_a_trace_id_can_be_given():
    """`start_with_trace_id` goes on with a trace, as a child of the current span if any."""
    assert start_with_trace_id("a3f2b1c4", "op", x=1).trace_id == "a3f2b1c4"
    with start("outer") as outer:
        span = start_with_trace_id("a3f2b1c4", "op")
    assert (span.trace_id, span.parent_id) == ("a3f2b1c4", outer.span_id)


@pytest.mark.parametrize("bad", ["", "new\nline", "x" * 257, "\x00", "ä", None])
def test_an_invalid_trace_id_is_replaced(bad):
    """An id that could not be logged or sent gives way to a new one."""
    assert HEX.fullmatch(start_with_trace_id(bad, "op").trace_id)


def test_closing_out_of_order_leaves_nothing_behind():
    """A span that is left before one entered in it is taken out of the middle."""
    outer, inner = start("outer"), start("inner")
    with start("base") as base:
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        assert current() is inner
        inner.__exit__(None, None, None)
        assert current() is base


def test_entering_twice_is_harmless():
    """A span that is entered again inside itself is left as if it had been entered once."""
    with start("base") as base:
        span = start("op")
        with span, start("between"), span:
            pass
        assert current() is base


def test_a_long_life_of_spans_keeps_none_alive():
    """An ended span does not hold its predecessors."""
    with start("base") as base:
        for _ in range(3):
            with start("op") as span:
                pass
            assert span._enclosing is None
    assert base._enclosing is None


def test_repr_tells_what_matters():
    """The representation has operation, ids and state."""
    span = start("op")
    assert repr(span) == f"<Span 'op' {span.trace_id}/{span.span_id} open>"
    span.end("error")
    assert re.search(r"error, [0-9.]+ ms>$", repr(span))


def test_new_ids_are_different():
    """Many ids are all different, and spread over their whole range."""
    ids = {new_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert all(HEX.fullmatch(each) for each in ids)
    assert {each[0] for each in ids} == set("0123456789abcdef")
