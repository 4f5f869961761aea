"""MIST spans for the SDK that the application configured."""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_tracer_provider,
    set_span_in_context,
)

from mist.trace.otel.attributes import SCOPE, to_otel
from mist.trace.sinks import add_sink
from mist.trace.traceparent import PARENT_ID, TRACE_ID, wire_id

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

    from mist.trace.sinks import SinkHandle
    from mist.trace.span import Span


def export_to_otel(tracer_provider: TracerProvider | None = None) -> SinkHandle:
    """Send ended MIST spans to OpenTelemetry: to its sampler, processors and exporters.

    The spans keep their ids, times and parents (of a MIST span id, the last 16 digits, as in a
    `traceparent`; the attribute `mist.span_id` has all), whatever order they end in. Model,
    provider and tokens are there under the names of OpenTelemetry's GenAI conventions too.

    Args:
        tracer_provider: By default the one that the application has set for all, also where it
            does that only later; until then spans go nowhere.

    Returns:
        A handle with `remove()`.
    """
    return add_sink(_Export(tracer_provider))


class _Ids(local):
    """Gives the span that is being exported the ids that it has, instead of new ones."""

    trace_id = 0
    span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id

    def is_trace_id_random(self) -> bool:
        return False


_ids = _Ids()


class _Export:
    """A sink that lives every span again, in OpenTelemetry."""

    def __init__(self, provider: TracerProvider | None) -> None:
        self._chosen = provider
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def __call__(self, span: Span) -> None:
        tracer = self._current_tracer()
        _ids.trace_id = int(wire_id(span.trace_id, TRACE_ID), 16)
        _ids.span_id = int(wire_id(span.span_id, PARENT_ID), 16)
        attrs = span.attrs()
        lived = tracer.start_span(
            span.operation,
            context=_parent(span),
            attributes={"mist.span_id": span.span_id} | to_otel(attrs),
            start_time=span.start_ns,
        )
        if span.status != "ok":
            _fail(lived, span, attrs)
        lived.end(span.end_ns)

    def _current_tracer(self) -> Tracer:
        provider = self._chosen or get_tracer_provider()
        if self._tracer is None or provider is not self._provider:
            tracer = provider.get_tracer(SCOPE)
            # The tracer of our scope is ours alone; what is no tracer of the SDK makes no ids.
            if hasattr(tracer, "id_generator"):
                setattr(tracer, "id_generator", _ids)  # noqa: B010  # the API does not know of it
            self._provider, self._tracer = provider, tracer
        return self._tracer


def _parent(span: Span) -> Context:
    if not span.parent_id:
        return Context()
    parent = SpanContext(
        _ids.trace_id,
        int(wire_id(span.parent_id, PARENT_ID), 16),
        is_remote=len(span.parent_id) == PARENT_ID,
        trace_flags=TraceFlags(span.sampled),
    )
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _fail(lived: Any, span: Span, attrs: dict[str, Any]) -> None:
    error = str(attrs.get("error", ""))
    if span.status == "error":
        lived.set_status(Status(StatusCode.ERROR, error or None))
    else:
        lived.set_attribute("mist.status", span.status)
    if "error_type" in attrs:
        event = {"exception.type": str(attrs["error_type"]), "exception.message": error}
        lived.add_event("exception", event, span.end_ns)
