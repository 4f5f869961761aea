"""Loggers, registries and tracers of mist fit the transport's middlewares without being named."""

import json

import pytest

from mist import logging, trace
from mist.metrics import Registry
from mist.parallel import Pool
from mist.parallel import map as parallel_map
from mist.protocol import Message
from mist.transport import (
    HTTP,
    TransportError,
    channel_pair,
    with_logging,
    with_metrics,
    with_tracing,
    wrap,
)


class Lines:
    """A writer that keeps what is logged."""

    def __init__(self):
        self.lines = []

    def write(self, text):
        """Keep a line."""
        self.lines.append(json.loads(text))


@pytest.fixture
def spans():
    """The spans that have ended."""
    ended = []
    handle = trace.add_sink(ended.append)
    yield ended
    handle.remove()


async def test_messages_are_logged_counted_and_traced_over_http(spans):
    """One send and one receive, seen by all three, in one trace from end to end."""
    lines, metrics = Lines(), Registry()
    log = logging.new("relay", logging.DEBUG, writer=lines)
    layers = (with_tracing(trace), with_metrics(metrics, transport="http"), with_logging(log))
    message = Message.new("matchspec", "acme.item", {"n": 1})
    async with HTTP() as inbox:
        await inbox.listen("127.0.0.1:0")
        receiving = wrap(inbox, *layers)
        async with HTTP(inbox.listen_url) as outbox:
            sending = wrap(outbox, *layers)
            with trace.start("job") as job:
                await sending.send(message)
            assert await receiving.receive() == message

    sent, received = (span for span in spans if span.operation != "job")
    assert (sent.operation, received.operation) == ("transport.send", "transport.receive")
    assert {span.trace_id for span in spans} == {job.trace_id}
    assert sent.parent_id == job.span_id
    assert received.parent_id == sent.span_id[-16:]
    assert received.attrs()["message_id"] == message.id

    counters = json.loads(metrics.snapshot().to_json())["counters"]
    assert counters["transport_sent{transport,http}"]["value"] == 1
    assert counters["transport_received{transport,http}"]["value"] == 1
    assert [line["msg"] for line in lines.lines] == ["sent", "received"]
    assert {line["message_id"] for line in lines.lines} == {message.id}
    assert lines.lines[0]["trace_id"] == job.trace_id


async def test_failures_are_logged_counted_and_traced(spans):
    """What fails has its code in all three."""
    lines, metrics = Lines(), Registry()
    log = logging.new("relay", writer=lines)
    async with HTTP("http://127.0.0.1:1") as nobody:
        sending = wrap(nobody, with_tracing(trace), with_metrics(metrics), with_logging(log))
        with pytest.raises(TransportError):
            await sending.send(Message.new("matchspec", "acme.item", {}))
    (line,) = lines.lines
    assert (line["level"], line["msg"], line["code"]) == ("WARN", "send failed", "transport")
    counters = json.loads(metrics.snapshot().to_json())["counters"]
    (failed,) = [each for each in counters.values() if each["name"] == "transport_failed"]
    assert failed["labels"] == ["op", "send", "code", "transport"]
    (span,) = spans
    assert (span.status, span.attrs()["code"]) == ("error", "transport")


async def test_work_in_parallel_keeps_its_trace(spans):
    """Inputs of a pool, in tasks and in threads, are children of the span around them."""

    async def in_task(n):
        with trace.start("task", n=n):
            pass

    def in_thread(n):
        with trace.start("thread", n=n):
            pass

    with trace.start("all") as whole:
        await parallel_map(Pool(4), range(20), in_task)
        await parallel_map(Pool(4), range(20), in_thread)
    inner = [span for span in spans if span is not whole]
    assert len(inner) == 40
    assert {span.parent_id for span in inner} == {whole.span_id}


async def test_a_channel_carries_no_headers_and_is_traced_all_the_same(spans):
    """Without a place for the context, a send is a span, and a receive is none."""
    left, right = channel_pair()
    async with left, right:
        await wrap(left, with_tracing(trace)).send(Message.new("a", "acme.item", {}))
        await wrap(right, with_tracing(trace)).receive()
    assert [span.operation for span in spans] == ["transport.send"]
