"""Spans, their parents, and W3C trace context."""

from mist.trace.ids import new_id, valid_id
from mist.trace.sinks import SinkHandle, add_sink
from mist.trace.span import Span, current, span_id, start, start_with_trace_id, trace_id

__all__ = [
    "SinkHandle",
    "Span",
    "add_sink",
    "current",
    "new_id",
    "span_id",
    "start",
    "start_with_trace_id",
    "trace_id",
    "valid_id",
]

# A traceback or a repr shows the name that users import, not the file it lives in.
for _public in [globals()[name] for name in __all__]:
    _public.__module__ = __name__
del _public
