"""Another tracer in the same process, which has its own idea of the current span."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from mist.trace.remote import Remote
    from mist.trace.span import Span

    class Interop(Protocol):
        """Keeps the other tracer's current span in step with ours."""

        def parent(self) -> Remote | None:
            """Return the other tracer's current span, where it is inside of ours."""

        def enter(self, span: Span) -> None:
            """Make our span current for the other tracer."""

        def leave(self, span: Span) -> None:
            """Make the other tracer's enclosing span current again."""

        def swap(self, context: object) -> object:
            """Put a context of the other tracer in place, and return the one it replaces."""


active: Interop | None = None
"""None, so that it costs nothing, until `mist.trace.otel.connect` sets it."""
