"""One current span for MIST and OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import attach, get_current
from opentelemetry.trace import Span as OTelSpan
from opentelemetry.trace import get_current_span, set_span_in_context

from mist.trace import interop
from mist.trace.context import TraceContext
from mist.trace.otel.mist_span import MistSpan
from mist.trace.span import current, has_left

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from mist.trace.span import Span


def connect() -> None:
    """Let MIST and OpenTelemetry see each other's spans in this process, from now on.

    A MIST span that starts under a current OpenTelemetry span becomes its child, and inside a
    MIST span, OpenTelemetry's instrumentation takes that for the current one: its spans become
    children, and attributes that it sets end up on the MIST span. Neither needs an SDK.
    """
    if interop.active is None:
        interop.active = _Connection()


def disconnect() -> None:
    """Undo `connect`: each goes on by itself."""
    interop.active = None


class _Connection:
    """Puts our spans into OpenTelemetry's context, as far as its API goes.

    It never detaches by a token, which fails in another task or thread: what was there before
    is put back only where our span is still in place.
    """

    def parent(self) -> Span | TraceContext | None:
        """Return OpenTelemetry's current span, or ours that stands for it."""
        top = get_current_span()
        if isinstance(top, MistSpan):
            top = top.resolve()
        if isinstance(top, MistSpan):
            return current() or top.span
        context = top.get_span_context()
        if not context.is_valid:
            return current()
        return TraceContext(
            f"{context.trace_id:032x}",
            f"{context.span_id:016x}",
            sampled=context.trace_flags.sampled,
            tracestate=tuple(f"{key}={value}" for key, value in context.trace_state.items()),
        )

    def enter(self, span: Span) -> None:
        """Make our span the current one of OpenTelemetry."""
        _replace(MistSpan(span, _pruned(get_current_span())))

    def leave(self, span: Span) -> None:
        """Put back what was current before our span, or take it out from below another one."""
        top = get_current_span()
        if not isinstance(top, MistSpan):
            return
        if top.span is span:
            _replace(top.enclosing)
            return
        while isinstance(top.enclosing, MistSpan):
            if top.enclosing.span is span:
                top.enclosing = top.enclosing.enclosing
                return
            top = top.enclosing

    def swap(self, context: Context | None) -> Context:
        """Put another context in place, None being the present one, and return the present."""
        here = get_current()
        if context is not None:
            attach(context)
        return here


def _replace(span: OTelSpan) -> None:
    attach(set_span_in_context(span))


def _pruned(span: OTelSpan) -> OTelSpan:
    """Skip and unlink our spans that were left elsewhere, so that no chain grows."""
    while isinstance(span, MistSpan) and span.is_stale:
        span = span.enclosing
    link = span
    while isinstance(link, MistSpan):
        while isinstance(link.enclosing, MistSpan) and has_left(link.enclosing.span):
            link.enclosing = link.enclosing.enclosing
        link = link.enclosing
    return span
