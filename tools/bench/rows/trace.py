"""mist.trace against the OpenTelemetry SDK."""

from collections.abc import Generator
from itertools import repeat

from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer

from mist.trace import add_sink, extract_http, inject_http, start
from tools.bench.pair import Pair
from tools.bench.row import Rows, at_least

ROWS = Rows("trace")

# So many calls to a sample's call that the harness's own call does not count.
_LOOP = 100
_INCOMING = {
    "host": "localhost",
    "content-type": "application/json",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
}


def _tracer() -> Tracer:
    return TracerProvider(shutdown_on_exit=False).get_tracer("bench")


def _spans() -> Pair:
    tracer = _tracer()

    def ours() -> None:
        for _ in repeat(None, _LOOP):
            with start("inference") as span:
                span.set_attr("model", "small")

    def peer() -> None:
        for _ in repeat(None, _LOOP):
            with tracer.start_as_current_span("inference") as span:
                span.set_attribute("model", "small")

    return Pair(ours=ours, peer=peer)


@ROWS.calls(
    "a recorded span with one attribute",
    at_least(5),
    against="OpenTelemetry SDK, recording",
    peers=["opentelemetry-sdk"],
    per_call=_LOOP,
)
def span() -> Generator[Pair]:
    """Start, set, end; neither side has anywhere to send it."""
    yield _spans()


@ROWS.calls(
    "the same, given to a sink",
    at_least(5),
    against="OpenTelemetry SDK, recording",
    peers=["opentelemetry-sdk"],
    per_call=_LOOP,
)
def span_to_sink() -> Generator[Pair]:
    """Ours is called with each span, the peer still has nowhere to send it."""
    with add_sink(lambda _: None):
        yield _spans()


@ROWS.calls(
    "extract, span, inject",
    at_least(2),
    against="OpenTelemetry SDK and propagator",
    peers=["opentelemetry-sdk"],
    per_call=_LOOP,
)
def service() -> Generator[Pair]:
    """Do what a service does with the headers of each request."""
    tracer = _tracer()

    def ours() -> None:
        for _ in repeat(None, _LOOP):
            with extract_http(_INCOMING, "handle"):
                inject_http({})

    def peer() -> None:
        for _ in repeat(None, _LOOP):
            with tracer.start_as_current_span("handle", context=extract(_INCOMING)):
                headers: dict[str, str] = {}
                inject(headers)

    yield Pair(ours=ours, peer=peer)
