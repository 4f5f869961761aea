"""Ended spans on their way to OpenTelemetry, and OpenTelemetry's on their way to MIST."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExportResult,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Status, StatusCode

from mist.trace import WrongFunctionError, extract_http, start, start_with_trace_id
from mist.trace.otel import OTelSpanExporter, connect, disconnect, export_to_otel


@pytest.fixture
def memory():
    """The SDK's exporter into memory."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(memory):
    """An SDK that exports into memory."""
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(memory))
    yield made
    made.shutdown()


@pytest.fixture
def exported(memory, provider):
    """Export to that SDK; the result is a function that returns what arrived, by name."""
    with export_to_otel(provider) as handle:
        yield lambda: {span.name: span for span in memory.get_finished_spans()}
        assert handle.errors == 0


def test_ids_times_and_parents_are_kept(exported):
    """A span arrives as it was, though children arrive before their parents."""
    with start("outer") as outer, start("inner") as inner:
        pass
    found = exported()
    for span in (outer, inner):
        arrived = found[span.operation]
        assert f"{arrived.context.trace_id:032x}" == span.trace_id
        assert f"{arrived.context.span_id:016x}" == span.span_id[-16:]
        assert (arrived.start_time, arrived.end_time) == (span.start_ns, span.end_ns)
        assert arrived.attributes["mist.span_id"] == span.span_id
        assert arrived.instrumentation_scope.name == "mist.trace"
    assert found["inner"].parent.span_id == found["outer"].context.span_id
    assert not found["inner"].parent.is_remote
    assert found["outer"].parent is None


def test_attributes_have_the_names_of_both(exported):
    """Model, provider and tokens are there as MIST and as the GenAI conventions name them."""
    with start("infer", model="m", provider="p", tokens_in=3, tokens_out=4, cost_usd=0.5):
        pass
    attributes = dict(exported()["infer"].attributes)
    del attributes["mist.span_id"]
    assert attributes == {
        "model": "m",
        "provider": "p",
        "tokens_in": 3,
        "tokens_out": 4,
        "cost_usd": 0.5,
        "gen_ai.request.model": "m",
        "gen_ai.provider.name": "p",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
    }


def test_attributes_of_every_kind_arrive(exported, caplog):
    """What OpenTelemetry has no type for is JSON text, without a warning from the SDK."""
    with start(
        "op", none=None, words=["a", "b"], mixed=[1, "a"], nested={"a": [1]}, empty=[], big=2**70
    ):
        pass
    attributes = exported()["op"].attributes
    assert "none" not in attributes
    assert attributes["words"] == ("a", "b")
    assert attributes["mixed"] == '[1,"a"]'
    assert attributes["nested"] == '{"a":[1]}'
    assert attributes["empty"] == ()
    assert attributes["big"] == hex(2**70)
    assert not caplog.records


def test_a_failure_arrives_as_status_and_event(exported):
    """An error has OpenTelemetry's status and exception event; other statuses an attribute."""
    with pytest.raises(TimeoutError), start("late"):
        raise TimeoutError("too late")
    start("skipped").end("skipped")
    start("fine").end()
    found = exported()
    assert found["late"].status.status_code is StatusCode.ERROR
    assert found["late"].status.description == "too late"
    (event,) = found["late"].events
    assert event.name == "exception"
    assert event.timestamp == found["late"].end_time
    assert dict(event.attributes) == {
        "exception.type": "TimeoutError",
        "exception.message": "too late",
    }
    assert found["skipped"].attributes["mist.status"] == "skipped"
    assert found["fine"].status.status_code is StatusCode.UNSET


def test_a_remote_parent_is_one_there_too(exported):
    """A span that came in by a `traceparent` keeps its parent and its sampling."""
    header = "00-12345678901234567890123456789012-1234567890123456-{}"
    with extract_http({"traceparent": header.format("01")}, "sampled"):
        pass
    with extract_http({"traceparent": header.format("00")}, "unsampled"):
        pass
    found = exported()
    assert found["sampled"].parent.is_remote
    assert found["sampled"].parent.span_id == 0x1234567890123456
    assert "unsampled" not in found


def test_a_trace_id_of_ones_own_is_the_one_in_headers(exported):
    """An id that is no number arrives as the digest that is sent in headers."""
    with start_with_trace_id("job 42", "outer"), start("inner"):
        pass
    found = exported()
    assert found["outer"].context.trace_id == found["inner"].context.trace_id != 0


def test_the_sampler_of_the_application_decides(memory):
    """Spans go through the SDK's sampler as all others do."""
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with export_to_otel(provider), start("op"):
        pass
    assert memory.get_finished_spans() == ()


def test_otel_spans_of_the_application_keep_their_own_ids(provider, exported):
    """Only spans of MIST get MIST's ids."""
    tracer = provider.get_tracer("app")
    with start("mist") as span:
        pass
    for _ in range(2):
        tracer.start_span("otel").end()
    ids = {found.context.span_id for found in exported().values()}
    assert len(ids) == 2
    assert exported()["otel"].context.trace_id != int(span.trace_id, 16)


def test_without_an_sdk_spans_go_nowhere(run):
    """With the API alone nothing happens; a provider that is set later is used."""
    ran = run("""
from opentelemetry import trace
from mist.trace import start
from mist.trace.otel import export_to_otel
handle = export_to_otel()
with start("early"): pass
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, ConsoleSpanExporter
provider = TracerProvider()
exporter = ConsoleSpanExporter(formatter=lambda span: span.name + "\\n")
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
with start("late"): pass
assert handle.errors == 0
""")
    assert (ran.stdout, ran.stderr) == ("late\n", "")


@pytest.fixture
def collector():
    """An OTLP/HTTP receiver on loopback: its URL and the requests that it got."""
    requests: list[tuple[str, ExportTraceServiceRequest]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", requests
        server.shutdown()
        thread.join()


def test_spans_reach_an_otlp_receiver(collector):
    """Over OTLP/HTTP, a collector reads the same trace, of spans of both kinds."""
    url, requests = collector
    provider = TracerProvider(resource=Resource({"service.name": "svc"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url)))
    connect()
    with (
        export_to_otel(provider),
        pytest.raises(ValueError, match="bad"),
        start("request", tokens_in=7) as request,
        provider.get_tracer("app").start_as_current_span("query"),
        start("inner") as inner,
    ):
        raise ValueError("bad")
    disconnect()
    provider.shutdown()
    found = {
        span.name: (scope.scope.name, span)
        for path, received in requests
        for resource in received.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if path == "/v1/traces"
    }
    assert {name: scope for name, (scope, _) in found.items()} == {
        "request": "mist.trace",
        "query": "app",
        "inner": "mist.trace",
    }
    outermost, middle, innermost = (found[name][1] for name in ("request", "query", "inner"))
    assert {span.trace_id.hex() for _, span in found.values()} == {request.trace_id}
    assert outermost.span_id.hex() == request.span_id[-16:]
    assert outermost.parent_span_id == b""
    assert middle.parent_span_id == outermost.span_id
    assert innermost.parent_span_id == middle.span_id
    assert innermost.span_id.hex() == inner.span_id[-16:]
    assert (outermost.start_time_unix_nano, outermost.end_time_unix_nano) == (
        request.start_ns,
        request.end_ns,
    )
    assert outermost.status.code == outermost.status.STATUS_CODE_ERROR
    values = {each.key: each.value for each in outermost.attributes}
    assert values["gen_ai.usage.input_tokens"].int_value == 7


def test_otel_spans_become_payloads(provider):
    """Each ended OpenTelemetry span is sent in the shape of a `trace.span`."""
    sent = []
    provider.add_span_processor(SimpleSpanProcessor(OTelSpanExporter(sent.append)))
    tracer = provider.get_tracer("app")
    with (
        tracer.start_as_current_span("outer") as outer,
        tracer.start_as_current_span("inner", attributes={"n": (1, 2)}) as inner,
    ):
        pass
    ids = outer.get_span_context(), inner.get_span_context()
    assert sent == [
        {
            "trace_id": f"{ids[1].trace_id:032x}",
            "span_id": f"{ids[1].span_id:016x}",
            "parent_id": f"{ids[0].span_id:016x}",
            "operation": "inner",
            "start_ns": inner.start_time,
            "end_ns": inner.end_time,
            "status": "ok",
            "attrs": {"n": [1, 2]},
        },
        {
            "trace_id": f"{ids[0].trace_id:032x}",
            "span_id": f"{ids[0].span_id:016x}",
            "operation": "outer",
            "start_ns": outer.start_time,
            "end_ns": outer.end_time,
            "status": "ok",
        },
    ]
    json.dumps(sent, allow_nan=False)


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.request.model": "m",
            "gen_ai.provider.name": "p",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
        },
        {
            "gen_ai.request.model": "m",
            "gen_ai.system": "p",
            "gen_ai.usage.prompt_tokens": 3,
            "gen_ai.usage.completion_tokens": 4,
        },
    ],
)
def test_attributes_get_the_names_of_mist(provider, attributes):
    """What the GenAI conventions name, also as they did before, has MIST's names too."""
    sent = []
    provider.add_span_processor(SimpleSpanProcessor(OTelSpanExporter(sent.append)))
    provider.get_tracer("app").start_span("op", attributes=attributes).end()
    ours = {"model": "m", "provider": "p", "tokens_in": 3, "tokens_out": 4}
    assert sent[0]["attrs"] == attributes | ours


def test_a_failed_otel_span_is_an_error(provider):
    """Status and exception become the attributes that MIST has for them."""
    sent = []
    provider.add_span_processor(SimpleSpanProcessor(OTelSpanExporter(sent.append)))
    tracer = provider.get_tracer("app")
    with pytest.raises(ValueError, match="bad"), tracer.start_as_current_span("raised"):
        raise ValueError("bad")
    span = tracer.start_span("told")
    span.set_status(Status(StatusCode.ERROR, "no luck"))
    span.end()
    assert [each["status"] for each in sent] == ["error", "error"]
    assert sent[0]["attrs"] == {"error": "ValueError: bad", "error_type": "ValueError"}
    assert sent[1]["attrs"] == {"error": "no luck"}


def test_nothing_goes_round(provider):
    """A MIST span that was exported does not come back as a payload, also by batches."""
    sent = []
    provider.add_span_processor(BatchSpanProcessor(OTelSpanExporter(sent.append)))
    with export_to_otel(provider):
        with start("mist"):
            pass
        provider.get_tracer("app").start_span("otel").end()
        provider.force_flush()
    assert [each["operation"] for each in sent] == ["otel"]


def test_a_failure_to_send_is_told_to_the_sdk(memory, provider, caplog):
    """The result is the SDK's own; one bad span does not keep back the others."""
    sent = []

    def send(payload):
        if payload["operation"] == "bad":
            raise OSError("cannot send")
        sent.append(payload["operation"])

    tracer = provider.get_tracer("app")
    for name in ("one", "bad", "two", "bad"):
        tracer.start_span(name).end()
    spans = memory.get_finished_spans()
    exporter = OTelSpanExporter(send)
    assert exporter.export(spans[:1]) is SpanExportResult.SUCCESS
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert exporter.failed == 2
    assert sent == ["one", "one", "two"]
    assert len(caplog.records) == 1
    assert exporter.force_flush()
    exporter.shutdown()
    assert exporter.export(spans[:1]) is SpanExportResult.FAILURE
    assert exporter.export([]) is SpanExportResult.SUCCESS


def test_an_async_sender_is_refused():
    """A coroutine function would never be awaited."""

    async def send(payload):
        """Do nothing."""

    with pytest.raises(WrongFunctionError, match="awaits nothing"):
        OTelSpanExporter(send)


def test_an_exporter_needs_no_sdk(run):
    """Without an SDK it can be made and called, and tells by a truth value how it went."""
    ran = run("""
import sys
from mist.trace.otel import OTelSpanExporter
exporter = OTelSpanExporter(print)
assert exporter.export([]) is True
assert not any(name.startswith("opentelemetry.sdk") for name in sys.modules)
""")
    assert (ran.returncode, ran.stderr) == (0, "")
