"""MIST and OpenTelemetry with one current span between them, beside the real SDK."""

import asyncio
import threading
from contextlib import contextmanager

import pytest
from opentelemetry import baggage, context
from opentelemetry import trace as otel_trace
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider

from mist.trace import current, extract_http, inject_http, start, traced
from mist.trace.otel import connect, disconnect


@pytest.fixture
def tracer():
    """A recording tracer of the SDK, while both are connected."""
    connect()
    yield TracerProvider().get_tracer("app")
    disconnect()
    assert not otel_trace.get_current_span().get_span_context().is_valid


@pytest.fixture(autouse=True)
def _no_complaints(caplog):
    """Fail where OpenTelemetry complains, as of a context that cannot be detached."""
    yield
    assert not caplog.records


def otel_id():
    """Return the id of the span that OpenTelemetry takes for the current one."""
    span_id = otel_trace.get_current_span().get_span_context().span_id
    return f"{span_id:016x}" if span_id else ""


def test_without_connect_neither_sees_the_other():
    """Each has its own traces until they are connected."""
    tracer = TracerProvider().get_tracer("app")
    with tracer.start_as_current_span("otel"), start("mist") as span:
        assert span.parent_id == ""
        assert otel_id() != span.span_id[-16:]


def test_a_mist_span_is_a_child_of_the_current_otel_span(tracer):
    """It has the OpenTelemetry span's trace, parent and sampled flag."""
    with tracer.start_as_current_span("otel") as outer, start("mist") as span:
        ids = outer.get_span_context()
        assert span.trace_id == f"{ids.trace_id:032x}"
        assert span.parent_id == f"{ids.span_id:016x}"
        assert span.sampled


def test_an_otel_span_is_a_child_of_the_current_mist_span(tracer):
    """OpenTelemetry's instrumentation sees the MIST span as the current one."""
    with start("mist") as span:
        assert otel_id() == span.span_id[-16:]
        with tracer.start_as_current_span("otel") as inner:
            assert f"{inner.parent.span_id:016x}" == span.span_id[-16:]
            assert f"{inner.get_span_context().trace_id:032x}" == span.trace_id
            assert current() is span
    assert otel_id() == ""


def test_they_nest_in_any_order(tracer):
    """Whichever span is innermost is the parent of the next."""
    with (
        start("m1") as m1,
        tracer.start_as_current_span("o1") as o1,
        start("m2") as m2,
        start("m3") as m3,
        tracer.start_as_current_span("o2") as o2,
    ):
        assert o1.parent.span_id == int(m1.span_id[-16:], 16)
        assert m2.parent_id == f"{o1.get_span_context().span_id:016x}"
        assert m3.parent_id == m2.span_id
        assert o2.parent.span_id == int(m3.span_id[-16:], 16)
        assert {m2.trace_id, m3.trace_id} == {m1.trace_id}


def test_a_span_from_before_the_connection_is_a_parent_too():
    """What is current in MIST alone counts as well."""
    with start("before") as before:
        connect()
        with start("after") as after:
            assert after.parent_id == before.span_id
        disconnect()


@pytest.mark.usefixtures("tracer")
def test_what_instrumentation_sets_is_on_the_mist_span():
    """Attributes, names and exceptions arrive; what MIST spans do not have is left out."""
    with start("mist") as span:
        seen = otel_trace.get_current_span()
        assert seen.is_recording()
        seen.set_attribute("a", 1)
        seen.set_attributes({"b": 2})
        seen.record_exception(TimeoutError("late"), {"c": 3})
        seen.add_event("event")
        seen.add_link(seen.get_span_context())
        seen.set_status(otel_trace.Status(otel_trace.StatusCode.ERROR))
        seen.update_name("renamed")
        seen.end()
        assert span.status == ""
    assert (span.operation, span.status) == ("renamed", "ok")
    assert span.attrs() == {
        "a": 1,
        "b": 2,
        "c": 3,
        "error": "late",
        "error_type": "TimeoutError",
        "code": "timeout",
    }
    assert not seen.is_recording()


@pytest.mark.usefixtures("tracer")
def test_headers_are_the_same_whoever_writes_them():
    """OpenTelemetry's propagator sends what `inject_http` sends."""
    incoming = {
        "traceparent": "00-12345678901234567890123456789012-1234567890123456-00",
        "tracestate": "foo=1,bar=2",
    }
    with extract_http(incoming, "handle") as span:
        ours: dict[str, str] = {}
        theirs: dict[str, str] = {}
        inject_http(ours)
        inject(theirs)
        assert ours == {name: theirs[name] for name in ours}
        assert ours["tracestate"] == f"mist={span.span_id},foo=1,bar=2"


def test_the_innermost_span_is_the_one_that_is_sent(tracer):
    """Inside an OpenTelemetry span, `inject_http` sends that one, and its state."""
    incoming = {
        "traceparent": "00-12345678901234567890123456789012-1234567890123456-01",
        "tracestate": "foo=1",
    }
    with extract_http(incoming, "handle") as span, tracer.start_as_current_span("call") as call:
        headers: dict[str, str] = {}
        inject_http(headers)
        assert headers["traceparent"].split("-")[2] == f"{call.get_span_context().span_id:016x}"
        assert headers["tracestate"] == f"mist={span.span_id},foo=1"
    with tracer.start_as_current_span("alone"):
        headers = {"tracestate": "old=1"}
        inject_http(headers)
        assert headers.keys() == {"traceparent"}


def suspended(tracer, kind):
    """Yield inside a MIST span, opened in one of the ways there are."""

    @contextmanager
    def managed():
        with start("generator") as span:
            yield span

    def plainly():
        with start("generator") as span:
            yield span
            assert otel_id() == span.span_id[-16:]

    def by_manager():
        with managed() as span:
            yield span
            assert otel_id() == span.span_id[-16:]

    @traced("generator")
    def by_decorator():
        span = current()
        yield span
        assert otel_id() == span.span_id[-16:]
        with tracer.start_as_current_span("inner") as inner:
            assert f"{inner.parent.span_id:016x}" == span.span_id[-16:]

    return {"with": plainly, "manager": by_manager, "traced": by_decorator}[kind]()


@pytest.mark.parametrize("kind", ["with", "manager", "traced"])
def test_a_generators_span_does_not_leak_into_its_consumer(tracer, kind):
    """A consumer's OpenTelemetry spans are not children of a suspended generator's span."""
    with tracer.start_as_current_span("consumer") as consumer:
        consumer_id = f"{consumer.get_span_context().span_id:016x}"
        for span in suspended(tracer, kind):
            assert span.parent_id == consumer_id
            assert otel_id() == consumer_id
            otel_trace.get_current_span().set_attribute("at", "consumer")
            assert "at" not in span.attrs()
            with start("step") as step:
                assert step.parent_id == consumer_id
            with tracer.start_as_current_span("otel step") as otel_step:
                assert otel_step.parent.span_id == consumer.get_span_context().span_id
        assert otel_id() == consumer_id
    assert consumer.attributes == {"at": "consumer"}


@pytest.mark.parametrize("kind", ["with", "manager", "traced"])
def test_a_generator_can_be_closed_in_another_thread(tracer, kind):
    """OpenTelemetry's context is in order afterwards, in both threads, without a complaint."""
    with start("consumer") as consumer:
        steps = suspended(tracer, kind)
        span = next(steps)
        closer = threading.Thread(target=steps.close)
        closer.start()
        closer.join()
        assert span.status == "ok"
        assert otel_id() == consumer.span_id[-16:]
        with start("after") as after:
            assert after.parent_id == consumer.span_id
    assert otel_id() == ""


@pytest.mark.usefixtures("tracer")
async def test_an_async_generator_can_be_closed_in_another_task():
    """The loop closes what `break` leaves, and nothing fails to detach."""

    async def generator():
        with start("generator") as span:
            yield span
            await asyncio.sleep(0)

    with start("consumer") as consumer:
        async for each in generator():
            span = each
            assert otel_id() == consumer.span_id[-16:]
            break
        for _ in range(10):
            await asyncio.sleep(0)
        assert span.status == "ok"
        assert otel_id() == consumer.span_id[-16:]


def test_overlapping_generators_leave_no_chain(tracer):
    """However many are closed elsewhere, OpenTelemetry's context does not grow."""

    def close_elsewhere(steps):
        closer = threading.Thread(target=steps.close)
        closer.start()
        closer.join()

    with start("base"):
        window = []
        for _ in range(30):
            window.append(suspended(tracer, "with"))
            next(window[-1])
            if len(window) > 3:
                close_elsewhere(window.pop(0))
        length, link = 0, otel_trace.get_current_span()
        while hasattr(link, "enclosing"):
            length, link = length + 1, link.enclosing
        assert length <= 6
        while window:
            window.pop().close()


def test_closing_out_of_order_leaves_nothing_behind(tracer):
    """Spans of both kinds may be closed in any order."""
    mist, inner = start("mist"), start("inner")
    mist.__enter__()
    inner.__enter__()
    mist.__exit__(None, None, None)
    assert otel_id() == inner.span_id[-16:]
    inner.__exit__(None, None, None)
    assert otel_id() == ""
    mist = start("mist")
    mist.__enter__()
    with tracer.start_as_current_span("otel") as otel:
        mist.__exit__(None, None, None)
        assert otel_id() == f"{otel.get_span_context().span_id:016x}"
    assert otel_id() == ""
    with start("next") as span:
        assert span.parent_id == ""


def test_other_values_of_the_context_stay(tracer):
    """Baggage and whatever else is in OpenTelemetry's context is left alone."""
    token = context.attach(baggage.set_baggage("user", "1"))
    steps = suspended(tracer, "with")
    with start("mist"):
        assert baggage.get_baggage("user") == "1"
        next(steps)
    steps.close()
    assert baggage.get_baggage("user") == "1"
    context.detach(token)


async def test_a_task_that_outlives_its_parent_stays_in_the_trace(tracer):
    """For both, a task's spans are children of what was current where it was created."""
    gone = asyncio.Event()

    async def work():
        await gone.wait()
        with start("m1") as first:
            pass
        with tracer.start_as_current_span("o1") as second:
            return first, second

    with start("parent") as parent:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    gone.set()
    first, second = await task
    assert first.parent_id == parent.span_id
    assert second.parent.span_id == int(parent.span_id[-16:], 16)


@pytest.mark.usefixtures("tracer")
def test_otels_own_ways_of_carrying_a_context_carry_ours():
    """A context that is attached in another thread brings the MIST span along."""
    found = []

    def work(carried):
        token = context.attach(carried)
        found.append((start("in thread"), current()))
        context.detach(token)

    with start("parent") as parent:
        thread = threading.Thread(target=work, args=(context.get_current(),))
        thread.start()
        thread.join()
    assert found[0][0].parent_id == parent.span_id


@pytest.mark.usefixtures("tracer")
def test_connecting_twice_is_connecting_once():
    """A second `connect` changes nothing."""
    with start("outer") as outer:
        connect()
        with start("inner") as inner:
            assert inner.parent_id == outer.span_id


def test_what_is_said_to_a_suspended_span_is_said_to_the_one_around_it(tracer):
    """Who kept the span of a generator that waits meanwhile speaks to the current one."""
    kept = []

    def generate():
        with start("generator"):
            kept.append(otel_trace.get_current_span())
            yield

    with tracer.start_as_current_span("otel") as outer:
        waiting = generate()
        next(waiting)
        (span,) = kept
        span.add_event("noted")
        span.add_link(outer.get_span_context())
        span.record_exception(ValueError("no"))
        span.set_status(otel_trace.StatusCode.ERROR, "failed")
        span.update_name("renamed")
        assert list(waiting) == []
    assert [event.name for event in outer.events] == ["noted", "exception"]
    assert len(outer.links) == 1
    assert (outer.name, outer.status.description) == ("renamed", "failed")
