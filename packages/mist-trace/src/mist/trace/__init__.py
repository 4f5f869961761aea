"""Spans, their parents, and W3C trace context."""

from mist.trace.buffered_sink import BufferedSink
from mist.trace.carry import carry
from mist.trace.context import TraceContext
from mist.trace.errors import InvalidSettingError, WrongFunctionError
from mist.trace.http_headers import extract_http, inject_http
from mist.trace.ids import new_id, valid_id
from mist.trace.render import render
from mist.trace.sinks import SinkHandle, add_sink
from mist.trace.span import Span, current, span_id, start, start_with_trace_id, trace_id
from mist.trace.traced import traced
from mist.trace.traceparent import format_traceparent, parse_traceparent

__all__ = [
    "BufferedSink",
    "InvalidSettingError",
    "SinkHandle",
    "Span",
    "TraceContext",
    "WrongFunctionError",
    "add_sink",
    "carry",
    "current",
    "extract_http",
    "format_traceparent",
    "inject_http",
    "new_id",
    "parse_traceparent",
    "render",
    "span_id",
    "start",
    "start_with_trace_id",
    "trace_id",
    "traced",
    "valid_id",
]

# A traceback or a repr shows the name that users import, not the file it lives in.
for _name in __all__:
    globals()[_name].__module__ = __name__
