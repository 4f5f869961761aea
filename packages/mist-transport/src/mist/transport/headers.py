"""Trace context that travels beside a message, without the transport knowing a tracer."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

outgoing_headers: ContextVar[Mapping[str, str]] = ContextVar(
    "outgoing_headers", default=MappingProxyType({})
)
"""Headers that the next send from this context adds to its request."""

incoming_headers: ContextVar[Mapping[str, str]] = ContextVar(
    "incoming_headers", default=MappingProxyType({})
)
"""The trace headers that the message received last in this context came with."""
