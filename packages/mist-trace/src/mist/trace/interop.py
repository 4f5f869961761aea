"""Another tracer in the same process, which has its own idea of the current span."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from mist.trace.context import TraceContext
    from mist.trace.span import Span

    class Interop(Protocol):
        """Keeps the other tracer's current span in step with ours."""

        def parent(self) -> Span | TraceContext | None:
            """Return what is current for both: a span of ours or one of the other tracer."""

        def enter(self, span: Span) -> None:
            """Make our span current for the other tracer."""

        def leave(self, span: Span) -> None:
            """Make the other tracer's enclosing span current again."""

        def swap(self, context: Any) -> Any:
            """Put a context of the other tracer in place, None being the present one.

            Returns the one that was in place.
            """


active: Interop | None = None
"""None, so that it costs nothing, until `mist.trace.otel.connect` sets it."""
