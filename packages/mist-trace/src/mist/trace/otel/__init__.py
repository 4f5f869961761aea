"""Spans that OpenTelemetry sees, and OpenTelemetry spans that MIST tools see."""

from mist.trace.otel.connection import connect, disconnect
from mist.trace.otel.export import export_to_otel
from mist.trace.otel.span_exporter import OTelSpanExporter

__all__ = ["OTelSpanExporter", "connect", "disconnect", "export_to_otel"]

for _public in (OTelSpanExporter, connect, disconnect, export_to_otel):
    _public.__module__ = __name__
del _public
