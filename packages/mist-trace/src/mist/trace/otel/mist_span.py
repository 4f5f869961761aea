"""A MIST span as OpenTelemetry's instrumentation sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span as OTelSpan
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from mist.trace.failure import describe
from mist.trace.span import current, has_left, is_suspended
from mist.trace.traceparent import PARENT_ID, TRACE_ID, wire_id
from mist.trace.tracestate import format_tracestate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mist.trace.span import Span


class MistSpan(OTelSpan):
    """Stands for a MIST span while that is current, and else for the span that encloses it.

    MIST ends its own spans and gives them their status; events and links have no place in them.
    """

    def __init__(self, span: Span, enclosing: OTelSpan) -> None:
        self.span = span
        self.enclosing = enclosing
        self._context: SpanContext | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the MIST span was left where OpenTelemetry's context could not be set back."""
        return has_left(self.span) or bool(self.span.status and current() is not self.span)

    def resolve(self) -> OTelSpan:
        """Return itself, or the span that is current where its own is not."""
        found: OTelSpan = self
        while isinstance(found, MistSpan) and (is_suspended(found.span) or found.is_stale):
            found = found.enclosing
        return found

    def get_span_context(self) -> SpanContext:
        """Return what children need to know."""
        found = self.resolve()
        return found._own_context() if isinstance(found, MistSpan) else found.get_span_context()  # noqa: SLF001  # ours

    def is_recording(self) -> bool:
        """Tell whether attributes are of use."""
        found = self.resolve()
        return not found.span.status if isinstance(found, MistSpan) else found.is_recording()

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute of the MIST span."""
        found = self.resolve()
        if isinstance(found, MistSpan):
            found.span.set_attr(key, value)
        else:
            found.set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002  # OpenTelemetry's signature
    ) -> None:
        """Record an exception in the attributes that MIST has for it."""
        found = self.resolve()
        if isinstance(found, MistSpan):
            self.set_attributes({**describe(exception), **(attributes or {})})
        else:
            found.record_exception(exception, attributes, timestamp, escaped)

    def end(self, end_time: int | None = None) -> None:
        """Leave the end to MIST."""

    def add_event(
        self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None
    ) -> None:
        """Leave out what a MIST span has no place for."""
        found = self.resolve()
        if not isinstance(found, MistSpan):
            found.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Leave out what a MIST span has no place for."""
        found = self.resolve()
        if not isinstance(found, MistSpan):
            found.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Change the operation."""
        found = self.resolve()
        if isinstance(found, MistSpan):
            found.span.operation = name
        else:
            found.update_name(name)

    def set_status(self, status: Any, description: str | None = None) -> None:
        """Leave the status to MIST."""
        found = self.resolve()
        if not isinstance(found, MistSpan):
            found.set_status(status, description)

    def _own_context(self) -> SpanContext:
        if self._context is None:
            span = self.span
            self._context = SpanContext(
                int(wire_id(span.trace_id, TRACE_ID), 16),
                int(wire_id(span.span_id, PARENT_ID), 16),
                is_remote=False,
                trace_flags=TraceFlags(span.sampled),
                trace_state=TraceState.from_header(
                    [format_tracestate(span.span_id, span.tracestate)]
                ),
            )
        return self._context
