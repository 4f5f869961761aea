"""Logging, counting, tracing and retrying around any transport."""

import asyncio
import contextlib
import logging

import pytest

from mist.protocol import MessageTooLarge, ProtocolError
from mist.transport.backpressure import blocking_send
from mist.transport.channel import Channel
from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    Rejected,
    TransportClosed,
    TransportError,
    TransportTimeout,
    WrongTransportError,
)
from mist.transport.headers import incoming_headers, outgoing_headers
from mist.transport.interface import Transport
from mist.transport.layer import Layer, unwrap, wrap
from mist.transport.observing import with_logging, with_metrics, with_tracing
from mist.transport.retrying import with_retry
from mist.transport.testing import MockTransport


class _Log:
    """A logger with keyword fields that keeps its lines."""

    def __init__(self):
        self.lines = []

    def debug(self, msg, **fields):
        self.lines.append(("debug", msg, fields))

    def warning(self, msg, **fields):
        self.lines.append(("warning", msg, fields))


class _Metric:
    def __init__(self):
        self.values = []

    def inc(self):
        self.values.append(1)

    def observe(self, value):
        self.values.append(value)


class _Metrics:
    """A registry that keeps what was counted, and how often it was asked for a child."""

    def __init__(self):
        self.children = {}
        self.lookups = 0

    def counter(self, name, **labels):
        self.lookups += 1
        return self.children.setdefault((name, *sorted(labels.items())), _Metric())

    histogram = counter

    def count(self, name, **labels):
        return len(self.children[name, *sorted(labels.items())].values)


class _Tracer:
    """A tracer that keeps its spans."""

    def __init__(self):
        self.spans = []

    @contextlib.contextmanager
    def start(self, operation, **attrs):
        span = _Span(operation, attrs)
        self.spans.append(span)
        try:
            yield span
        except BaseException as exc:
            span.error = exc
            raise
        finally:
            span.ended = True

    def inject_http(self, headers):
        headers["traceparent"] = f"of {self.spans[-1].operation}"

    def extract_http(self, headers, operation):
        return self.start(operation, parent=headers["traceparent"])


class _Span:
    def __init__(self, operation, attrs):
        self.operation, self.attrs, self.error, self.ended = operation, attrs, None, False

    def set_attr(self, key, value):
        self.attrs[key] = value


class _Policy:
    """Three attempts, and a cap on what a peer may ask for."""

    max_wait = 5.0

    def waits(self):
        return iter([0.1, 0.2])


class _Broken:
    """A logger, registry, policy or tracer of which every call fails."""

    def __getattr__(self, name):
        def fail(*_args, **_kwargs):
            raise RuntimeError(f"{name} is broken")

        return fail


class _Wire(Layer):
    """A transport beneath that shows and sets headers, as HTTP does."""

    seen = None
    carries = None

    async def send(self, message):
        self.seen = dict(outgoing_headers.get())
        await super().send(message)

    async def receive(self):
        message = await super().receive()
        if self.carries is not None:
            incoming_headers.set(self.carries)
        return message


async def test_the_first_middleware_is_the_outermost(messages):
    """`wrap(t, a, b)` is `a(b(t))`, and a send passes a first."""
    order = []

    def noting(name):
        class Noting(Layer):
            async def send(self, message):
                order.append(name)
                await super().send(message)

        return Noting

    mock = MockTransport()
    await wrap(mock, noting("outer"), noting("inner")).send(*messages(1))
    assert order == ["outer", "inner"]
    assert len(mock.sent) == 1


async def test_what_wrap_returns_is_a_whole_transport(messages):
    """It is a context manager and an iterator even around a transport that is neither."""
    sent = messages(3)

    class Bare:
        def __init__(self):
            self.left, self.closed = list(sent), False

        async def send(self, message):
            self.left.append(message)

        async def receive(self):
            if not self.left:
                raise EndOfStream("over")
            return self.left.pop(0)

        async def close(self):
            self.closed = True

    bare = Bare()
    async with wrap(bare, lambda transport: transport) as wrapped:
        assert isinstance(wrapped, Transport)
        assert [message async for message in wrapped] == sent
    assert bare.closed


def test_unwrap_finds_the_transport_of_a_class():
    """What only one kind can do is reached through all layers."""
    channel = Channel()
    wrapped = wrap(channel, with_retry(_Policy()), with_logging(_Log()))
    assert unwrap(wrapped, Channel) is channel
    assert unwrap(wrapped, Layer) is wrapped
    with pytest.raises(WrongTransportError, match=r"no MockTransport in \w+ over \w+ over Channel"):
        unwrap(wrapped, MockTransport)


async def test_logging_tells_of_messages_without_their_payload(messages):
    """Sent and received at debug level, failures as warnings with their code."""
    log = _Log()
    (message,) = messages(1)
    mock = MockTransport(
        [message, ProtocolError("bad line"), EndOfStream("over")],
        sends=[None, Rejected("unknown token", status=401)],
    )
    wrapped = wrap(mock, with_logging(log))
    await wrapped.send(message)
    with pytest.raises(Rejected):
        await wrapped.send(message)
    await wrapped.receive()
    with pytest.raises(ProtocolError):
        await wrapped.receive()
    with pytest.raises(EndOfStream):
        await wrapped.receive()
    about = {"message_id": message.id, "message_type": "test.number", "message_source": "test"}
    assert log.lines[0][2].pop("duration_ms") >= 0
    assert log.lines == [
        ("debug", "sent", about),
        ("warning", "send failed", {**about, "code": "auth", "error": "unknown token"}),
        ("debug", "received", about),
        ("warning", "receive failed", {"code": "protocol", "error": "bad line"}),
        ("debug", "receive ended", {"code": "transport", "error": "over"}),
    ]


@pytest.mark.parametrize("adapt", [lambda log: log, lambda log: logging.LoggerAdapter(log, {})])
async def test_a_standard_logger_gets_the_fields_in_the_text(messages, caplog, adapt):
    """The standard library's loggers take no keyword fields, and work all the same."""
    (message,) = messages(1)
    wrapped = wrap(Channel(size=1), with_logging(adapt(logging.getLogger("app"))))
    with caplog.at_level(logging.DEBUG, "app"):
        await wrapped.send(message)
        with pytest.raises(BufferFull):
            await wrapped.send(message)
    sent, failed = caplog.records
    assert sent.getMessage().startswith(f"sent message_id={message.id} message_type=test.number")
    assert failed.levelno == logging.WARNING
    assert "code=unavailable" in failed.getMessage()


async def test_a_dropped_level_costs_a_standard_logger_nothing(messages, caplog):
    """Below the logger's level, no text is made."""
    with caplog.at_level(logging.INFO, "app"):
        await wrap(Channel(), with_logging(logging.getLogger("app"))).send(*messages(1))
    assert caplog.records == []


@pytest.mark.parametrize(
    ("middleware", "missing"),
    [
        (with_logging, "debug, warning"),
        (with_metrics, "counter, histogram"),
        (with_tracing, "start, inject_http, extract_http"),
        (with_retry, "waits"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_message(middleware, missing):
    """The error names what is missing."""
    with pytest.raises(WrongTransportError, match=f"NoneType has no {missing}"):
        middleware(None)


async def test_metrics_count_messages_failures_by_code_and_time_sends(messages):
    """The names and labels are as documented."""
    registry = _Metrics()
    (message,) = messages(1)
    mock = MockTransport(
        [message, TransportError("lost"), TransportClosed("closed")],
        sends=[None, None, Rejected("slow down", status=429)],
    )
    wrapped = wrap(mock, with_metrics(registry, transport="mock"))
    await wrapped.send(message)
    await wrapped.send(message)
    with pytest.raises(Rejected):
        await wrapped.send(message)
    await wrapped.receive()
    for expected in (TransportError, TransportClosed, EndOfStream):
        with pytest.raises(expected):
            await wrapped.receive()
    assert registry.count("transport_sent", transport="mock") == 2
    assert registry.count("transport_received", transport="mock") == 1
    assert registry.count("transport_send_ms", transport="mock") == 2
    failed = {key[1:]: len(m.values) for key, m in registry.children.items() if "failed" in key[0]}
    assert failed == {
        (("code", "rate_limit"), ("op", "send"), ("transport", "mock")): 1,
        (("code", "transport"), ("op", "receive"), ("transport", "mock")): 1,
    }


async def test_metrics_look_each_child_up_once(messages):
    """The registry is not asked again for every message."""
    registry = _Metrics()
    wrapped = wrap(Channel(size=1), with_metrics(registry))
    (message,) = messages(1)
    await wrapped.send(message)
    for _ in range(10):
        with pytest.raises(BufferFull):
            await wrapped.send(message)
    assert registry.lookups == 4
    assert registry.count("transport_failed", op="send", code="unavailable") == 10


async def test_a_cancelled_receive_has_not_failed_and_a_cancelled_send_has(messages):
    """Waiting in vain is no fault; a message of unknown fate is counted."""

    class Stuck(MockTransport):
        async def send(self, message):  # noqa: ARG002  # the interface's
            await asyncio.sleep(3600)

    registry = _Metrics()
    wrapped = wrap(Stuck(quiet=True), with_metrics(registry))
    for call in (wrapped.receive(), wrapped.send(*messages(1))):
        task = asyncio.create_task(call)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert registry.count("transport_failed", op="send", code="cancelled") == 1
    assert ("transport_failed", ("code", "cancelled"), ("op", "receive")) not in registry.children


async def test_a_send_takes_its_span_along(messages):
    """The context is injected for this send alone, and what was set before stays."""
    tracer, wire = _Tracer(), _Wire(MockTransport())
    (message,) = messages(1)
    token = outgoing_headers.set({"x-request": "7"})
    await wrap(wire, with_tracing(tracer)).send(message)
    assert wire.seen == {"x-request": "7", "traceparent": "of transport.send"}
    assert dict(outgoing_headers.get()) == {"x-request": "7"}
    outgoing_headers.reset(token)
    (span,) = tracer.spans
    assert span.operation == "transport.send"
    assert span.attrs["message_id"] == message.id
    assert span.ended


async def test_a_send_that_fails_is_a_span_that_failed(messages):
    """The span ends with the error and carries its code."""
    tracer, error = _Tracer(), Rejected("busy", status=503)
    with pytest.raises(Rejected) as caught:
        await wrap(MockTransport(sends=[error]), with_tracing(tracer)).send(*messages(1))
    assert caught.value is error
    assert tracer.spans[0].error is error
    assert tracer.spans[0].attrs["code"] == "unavailable"


async def test_a_received_message_continues_the_trace_it_came_with(messages):
    """A short span joins the remote one; the headers stay for what handles the message."""
    tracer = _Tracer()
    first, second = messages(2)
    wire = _Wire(MockTransport([first, second]))
    wrapped = wrap(wire, with_tracing(tracer))
    wire.carries = {"traceparent": "remote"}
    await wrapped.receive()
    (span,) = tracer.spans
    assert (span.operation, span.attrs["parent"]) == ("transport.receive", "remote")
    assert span.attrs["message_id"] == first.id
    assert incoming_headers.get() == {"traceparent": "remote"}
    wire.carries = None
    await wrapped.receive()
    assert len(tracer.spans) == 1, "headers of an earlier message were taken for this one's"


@pytest.mark.parametrize("with_broken", [with_logging, with_tracing])
async def test_a_broken_observer_costs_no_message_and_is_reported_once(
    messages, caplog, with_broken
):
    """Messages pass, errors keep their type, and the log says why there is nothing to see."""
    sent = messages(3)
    wire = _Wire(MockTransport(sent, sends=[None, BufferFull("full")]))
    wire.carries = {"traceparent": "remote"}
    wrapped = wrap(wire, with_broken(_Broken()))
    await wrapped.send(sent[0])
    with pytest.raises(BufferFull):
        await wrapped.send(sent[1])
    assert [message async for message in wrapped] == sent
    (report,) = caplog.records
    assert report.name == "mist.transport"
    assert "is broken" in caplog.text


async def test_a_broken_metric_costs_no_message(messages, caplog):
    """A counter that fails later than at the start is isolated too."""
    registry = _Metrics()
    sent = messages(2)
    wrapped = wrap(MockTransport(sent, sends=[BufferFull("full")]), with_metrics(registry))
    registry.counter = _Broken().counter
    for metric in registry.children.values():
        metric.inc = metric.observe = _Broken().inc
    with pytest.raises(BufferFull):
        await wrapped.send(sent[0])
    await wrapped.send(sent[0])
    assert [message async for message in wrapped] == sent
    assert len(caplog.records) == 1


async def test_a_span_that_fails_to_end_costs_no_message(messages, caplog):
    """Whether a span cannot start, take an attribute or end."""

    class BadSpan:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            raise RuntimeError("cannot end")

    class BadTracer:
        def start(self, *_, **__):
            return BadSpan()

        def inject_http(self, headers):
            headers.clear()

        extract_http = start

    mock = MockTransport(sends=[None, TransportTimeout("late")])
    wrapped = wrap(mock, with_tracing(BadTracer()))
    await wrapped.send(*messages(1))
    with pytest.raises(TransportTimeout):
        await wrapped.send(*messages(1))
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "passing",
    [
        TransportError("lost"),
        TransportTimeout("late"),
        BufferFull("full"),
        Rejected("busy", status=503),
        Rejected("slow down", status=429),
        ConnectionResetError("reset"),
        RuntimeError("something"),
    ],
)
def test_what_may_pass_is_tried_again(virtually, messages, passing):
    """After the policy's waits, in order."""
    (message,) = messages(1)
    mock = MockTransport([passing, passing, message], sends=[passing, passing])
    wrapped = wrap(mock, with_retry(_Policy()))

    async def scenario():
        await wrapped.send(message)
        sent_after = asyncio.get_running_loop().time()
        assert await wrapped.receive() == message
        return sent_after, asyncio.get_running_loop().time()

    assert virtually(scenario()) == pytest.approx((0.3, 0.6))
    assert mock.sent == [message]


@pytest.mark.parametrize(
    "lasting",
    [
        ProtocolError("bad"),
        MessageTooLarge(2, 1),
        TransportClosed("closed"),
        EndOfStream("over"),
        Rejected("who are you", status=401),
        Rejected("wrong", status=422),
        Rejected("where", status=404),
        Rejected("already", status=409),
        TransportError("stopped", code="cancelled"),
    ],
)
def test_what_will_not_pass_is_raised_at_once(virtually, messages, lasting):
    """It comes as it is, after one attempt, in no time, and without a note."""
    (message,) = messages(1)
    mock = MockTransport([lasting, message], sends=[lasting])
    wrapped = wrap(mock, with_retry(_Policy()))

    async def scenario():
        with pytest.raises(type(lasting)) as sending:
            await wrapped.send(message)
        with pytest.raises(type(lasting)) as receiving:
            await wrapped.receive()
        assert sending.value is receiving.value is lasting
        return asyncio.get_running_loop().time()

    assert virtually(scenario()) == 0
    assert mock.sent == []
    assert not hasattr(lasting, "__notes__")


def test_the_last_error_tells_of_the_attempts(virtually, messages):
    """Its type stays, and its notes say what was tried."""
    errors = [TransportError("first"), Rejected("second", status=503), TransportTimeout("third")]
    wrapped = wrap(MockTransport(sends=errors), with_retry(_Policy()))

    async def scenario():
        with pytest.raises(TransportTimeout) as caught:
            await wrapped.send(*messages(1))
        return caught.value

    error = virtually(scenario())
    assert error is errors[2]
    assert error.__notes__ == [
        "gave up after 3 attempts",
        "attempt 1: TransportError: first",
        "attempt 2: Rejected: second",
    ]


@pytest.mark.parametrize(("wish", "honoured"), [(0.01, 0.1), (2.0, 2.0), (60.0, 5.0)])
def test_a_wish_of_the_peer_is_honoured_up_to_the_policys_longest_wait(
    virtually, messages, wish, honoured
):
    """`retry_after` lengthens a wait and never shortens one."""
    busy = Rejected("busy", status=503, retry_after=wish)
    wrapped = wrap(MockTransport(sends=[busy]), with_retry(_Policy()))

    async def scenario():
        await wrapped.send(*messages(1))
        return asyncio.get_running_loop().time()

    assert virtually(scenario()) == pytest.approx(honoured)


@pytest.mark.parametrize("wish", ["30", -1.0, float("nan"), None])
def test_a_wish_in_other_words_is_none(virtually, messages, wish):
    """An error of a foreign transport is retried after the policy's own wait."""
    busy = TimeoutError("busy")
    busy.retry_after = wish
    wrapped = wrap(MockTransport(sends=[busy]), with_retry(_Policy()))

    async def scenario():
        await wrapped.send(*messages(1))
        return asyncio.get_running_loop().time()

    assert virtually(scenario()) == pytest.approx(0.1)


def test_a_retry_stops_when_it_is_cancelled(virtually, messages):
    """Cancellation ends the wait between attempts, and is not taken for a failure."""
    mock = MockTransport(sends=[TransportError("lost")] * 3)
    wrapped = wrap(mock, with_retry(_Policy()))

    async def scenario():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await wrapped.send(*messages(1))

    virtually(scenario())
    assert mock.sent == []


async def test_blocking_send_works_through_all_middlewares(messages):
    """`BufferFull` comes through with the way to wait for room."""

    class Once:
        def waits(self):
            return ()

    channel, sent = Channel(size=1), messages(20)
    wrapped = wrap(
        channel,
        with_logging(_Log()),
        with_metrics(_Metrics()),
        with_tracing(_Tracer()),
        with_retry(Once()),
    )

    async def send():
        for message in sent:
            await blocking_send(wrapped, message)
        await wrapped.close()

    sending = asyncio.create_task(send())
    assert [message async for message in wrapped] == sent
    await sending
