"""Spans, and which of them is current."""
# Which span is current is the business of several spans at once, so of functions here.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

from __future__ import annotations

from contextvars import ContextVar
from sys import _getframe
from time import perf_counter_ns, time_ns

from mist.trace import interop, sinks
from mist.trace.context import TraceContext
from mist.trace.failure import describe, is_failure
from mist.trace.generators import GENERATOR, at_work, owner
from mist.trace.ids import new_id, valid_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any


class Span:
    """A timed operation within a trace. `start` makes one.

    In a `with` block it is the current span, and it ends with the block: with the status `ok`,
    or with `error` and the attributes `error` (the text), `error_type` and `code` where an
    exception leaves the block. A cancelled operation has the code `cancelled`. One that is ended
    by hand, with `end`, is current nowhere, and so has no children.

    Attributes:
        trace_id: Shared by all spans of one trace.
        span_id: 32 hex digits.
        parent_id: The parent's span id, of 16 hex digits where the parent came in by a
            `traceparent`; empty for the first span of a trace.
        operation: What it is that takes time.
        start_ns: Nanoseconds since the epoch.
        end_ns: The same, and never before the start, even where the system's clock is set back
            meanwhile; 0 until the span has ended.
        status: `ok`, `error` or what `end` was given; empty until the span has ended.
    """

    __slots__ = (
        "_attrs",
        "_clock",
        "_enclosing",
        "_entered",
        "_frame",
        "_in_generator",
        "_origin",
        "end_ns",
        "operation",
        "parent_id",
        "span_id",
        "start_ns",
        "status",
        "trace_id",
    )

    def __init__(
        self,
        operation: str,
        attrs: dict[str, Any],
        trace_id: str,
        parent_id: str,
        origin: TraceContext | None,
    ) -> None:
        self.trace_id = trace_id
        self.span_id = new_id()
        self.parent_id = parent_id
        self.operation = operation
        self.end_ns = 0
        self.status = ""
        self._attrs = attrs
        self._origin = origin
        self._entered = False
        self._in_generator = False
        self.start_ns = time_ns()
        self._clock = perf_counter_ns()

    def __repr__(self) -> str:
        state = f"{self.status}, {self.duration_ms():.3f} ms" if self.status else "open"
        return f"<Span {self.operation!r} {self.trace_id}/{self.span_id} {state}>"

    @property
    def sampled(self) -> bool:
        """Whether the trace is meant to be recorded, by the flag that it came in with."""
        return self._origin is None or self._origin.sampled

    @property
    def tracestate(self) -> tuple[str, ...]:
        """The members of the `tracestate` that the trace came in with, without our own."""
        return () if self._origin is None else self._origin.tracestate

    def set_attr(self, key: str, value: Any, /) -> None:
        """Set an attribute, such as `model`, `tokens_in`, `tokens_out` or `cost_usd`.

        An ended span has been handed on, and keeps what it has: nothing happens then.
        """
        if not self.status:
            self._attrs[key] = value

    def attrs(self) -> dict[str, Any]:
        """Return a copy of the attributes."""
        return self._attrs.copy()

    def duration_ns(self) -> int:
        """Return the nanoseconds from start to end, 0 until the span has ended."""
        return self.end_ns - self.start_ns if self.end_ns else 0

    def duration_ms(self) -> float:
        """Return the milliseconds from start to end, 0 until the span has ended."""
        return self.duration_ns() / 1e6

    def end(self, status: str = "ok") -> None:
        """End the span and hand it to the sinks; what has ended already stays as it is."""
        if self.status:
            return
        self.status = status or "ok"
        self.end_ns = self.start_ns + (perf_counter_ns() - self._clock)
        if sinks.active:
            sinks.deliver(self, self._clock)

    def to_payload(self) -> dict[str, Any]:
        """Return the span as a plain mapping in the shape of a `trace.span` payload.

        Attributes that JSON has no form for are there as text.
        """
        from mist.trace.payload import to_payload  # noqa: PLC0415  # only where spans are shipped

        return to_payload(self)

    def __enter__(self) -> Span:
        if self._entered:
            return self
        self._entered = True
        caller = _getframe(1)
        if caller.f_code.co_flags & GENERATOR or caller.f_globals.get("__name__") == "contextlib":
            self._frame: FrameType | None = owner(caller)
            self._in_generator = self._frame is not None
        self._enclosing = innermost.get()
        if interop.active is not None:
            interop.active.enter(self)
        innermost.set(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        if interop.active is not None:
            interop.active.leave(self)
        current = innermost.get()
        if current is self:
            innermost.set(self._enclosing)
        elif current is not None:
            _unlink(self, current)
        if self._in_generator:
            # What else still holds this span as current skips it, on to what encloses it, and
            # that is none that has been left in its turn, so that no chain grows.
            self._frame = None
            self._enclosing = _not_left(self._enclosing)
        else:
            self._enclosing = None
        if exc is None or not is_failure(exc):
            self.end()
        elif not self.status:
            self._attrs = {**describe(exc), **self._attrs}
            self.end("error")


innermost: ContextVar[Span | None] = ContextVar("mist.trace.innermost", default=None)
"""The span entered last in a context, which is current unless its generator is suspended."""


def start(operation: str, /, **attrs: Any) -> Span:
    """Start a span, as a child of the current one or as the first of a new trace.

    It becomes the current span only as a context manager: `with start("inference") as span`.

    Args:
        operation: What it is that takes time.
        attrs: Its first attributes, of any names.
    """
    parent = innermost.get() if interop.active is None else interop.active.parent()
    if parent is None:
        return Span(operation, attrs, new_id(), "", None)
    if isinstance(parent, TraceContext):
        return Span(operation, attrs, parent.trace_id, parent.parent_id, parent)
    if parent._in_generator and (parent := _open(parent)) is None:
        return Span(operation, attrs, new_id(), "", None)
    return Span(operation, attrs, parent.trace_id, parent.span_id, parent._origin)


def start_with_trace_id(trace_id: str, operation: str, /, **attrs: Any) -> Span:
    """Start a span in a given trace, as a child of the current span if there is one.

    Args:
        trace_id: 1 to 256 printable ASCII characters; else the trace gets a new id.
        operation: What it is that takes time.
        attrs: Its first attributes, of any names.
    """
    span = start(operation, **attrs)
    if trace_id != span.trace_id:
        # What another trace came in with does not belong to this one.
        span._origin = None
        span.trace_id = trace_id if valid_id(trace_id) else new_id()
    return span


def current() -> Span | None:
    """Return the innermost span whose `with` block this runs in, if any.

    Tasks and `asyncio.to_thread` inherit it; `carry` takes it to other threads.
    """
    span = innermost.get()
    if span is not None and span._in_generator:
        return _open(span)
    return span


def trace_id() -> str:
    """Return the current span's trace id, empty where there is none."""
    span = current()
    return "" if span is None else span.trace_id


def span_id() -> str:
    """Return the current span's id, empty where there is none."""
    span = current()
    return "" if span is None else span.span_id


def is_suspended(span: Span) -> bool:
    """Tell whether a span belongs to a generator that has left it or is suspended at a `yield`."""
    if not span._in_generator:
        return False
    frame = span._frame
    return frame is None or not at_work(frame)


def has_left(span: Span) -> bool:
    """Tell whether a span belongs to a generator that has left it, perhaps in another context."""
    return span._in_generator and span._frame is None


def _open(span: Span | None) -> Span | None:
    while span is not None and is_suspended(span):
        span = span._enclosing
    return span


def _not_left(span: Span | None) -> Span | None:
    while span is not None and has_left(span):
        span = span._enclosing
    return span


def _unlink(span: Span, current: Span) -> None:
    """Take out a span that is left before one that was entered in it."""
    inner: Span | None = current
    while inner is not None and inner._entered:
        enclosing = inner._enclosing
        if enclosing is span:
            inner._enclosing = span._enclosing
            return
        inner = enclosing
