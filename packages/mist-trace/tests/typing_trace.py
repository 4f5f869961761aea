"""What users write, checked by mypy and pyright and never run."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, assert_type

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from mist.trace import (
    BufferedSink,
    SinkHandle,
    Span,
    TraceContext,
    add_sink,
    carry,
    current,
    extract_http,
    format_traceparent,
    inject_http,
    new_id,
    parse_traceparent,
    render,
    span_id,
    start,
    start_with_trace_id,
    trace_id,
    traced,
    valid_id,
)
from mist.trace.otel import OTelSpanExporter, connect, disconnect, export_to_otel

with start("op", model="x", tokens_in=3) as span:
    assert_type(span, Span)
    span.set_attr("tokens_out", 5)
    assert_type(span.attrs(), dict[str, Any])
    assert_type(span.end_ns, int)
    assert_type(span.duration_ms(), float)
    assert_type(span.sampled, bool)
    assert_type(span.tracestate, tuple[str, ...])
    assert_type(current(), Span | None)
    assert_type(trace_id() + span_id() + new_id(), str)
    assert_type(span.to_payload(), dict[str, Any])
start_with_trace_id("a3f2", "op", x=1).end("error")
assert_type(valid_id("a"), bool)

headers: dict[str, str] = {}
inject_http(headers)
scope: list[tuple[bytes, bytes]] = []
inject_http(scope)
with extract_http(scope, "handle", method="GET") as span, extract_http(headers, "op"):
    assert_type(span, Span)
assert_type(parse_traceparent(""), TraceContext | None)
assert_type(format_traceparent("a", "b", sampled=False), str)


def work(number: int, *, word: str = "") -> float:
    """Work."""
    return number + float(word)


with ThreadPoolExecutor() as pool:
    assert_type(pool.submit(carry(work), 3, word="1").result(), float)


@traced
def plain(number: int) -> str:
    """Return a text."""
    return str(number)


@traced("named", model="x")
async def later(number: int) -> str:
    """Return a text later."""
    return str(number)


@traced(kind="generator")
def several(number: int) -> Iterator[int]:
    """Yield numbers."""
    yield number


@traced
async def several_later(number: int) -> AsyncIterator[int]:
    """Yield numbers later."""
    yield number


async def use() -> None:
    """Call what is decorated, with the types that it has undecorated."""
    assert_type(plain(1), str)
    assert_type(await later(number=1), str)
    assert_type(next(several(1)), int)
    async for number in several_later(1):
        assert_type(number, int)


async def ship(batch: list[Span]) -> None:
    """Ship spans."""


ended: list[Span] = []
with BufferedSink(ship, batch=10) as sink, add_sink(sink) as handle:
    assert_type(handle, SinkHandle)
    assert_type(sink.flush(1.0), bool)
    assert_type(sink.dropped + handle.errors, int)
add_sink(ended.append).remove()
add_sink(BufferedSink(lambda batch: print(len(batch))))
assert_type(render([*ended, span.to_payload()], width=80), str)

connect()
disconnect()
provider = TracerProvider()
payloads: list[dict[str, Any]] = []
provider.add_span_processor(BatchSpanProcessor(OTelSpanExporter(payloads.append)))
assert_type(export_to_otel(), SinkHandle)
export_to_otel(provider).remove()
