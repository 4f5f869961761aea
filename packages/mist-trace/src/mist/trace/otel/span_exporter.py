"""OpenTelemetry spans for MIST tools."""

from __future__ import annotations

import sys
from logging import getLogger
from typing import TYPE_CHECKING, Any

from mist.trace.errors import WrongFunctionError
from mist.trace.otel.attributes import SCOPE, to_mist
from mist.trace.payload import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    # An SDK's SpanExporter, as far as type checkers know: the SDK itself is not ours to import.
    SpanExporter: TypeAlias = Any
else:
    SpanExporter = object

_CO_COROUTINE = 0x80


class OTelSpanExporter(SpanExporter):  # type: ignore[misc]  # of Any, on purpose
    """Turns OpenTelemetry spans into payloads of `trace.span`, in the pipeline of an SDK.

    `provider.add_span_processor(BatchSpanProcessor(OTelSpanExporter(send)))`: the exporter
    itself waits for nothing. Spans that came from MIST by `export_to_otel` are left out, so that
    none goes round.

    Attributes:
        failed: How many spans `send` has failed on.
    """

    def __init__(self, send: Callable[[dict[str, Any]], object]) -> None:
        """Make an exporter.

        Args:
            send: Takes one payload, a plain mapping, and has sent or queued it on return. It is
                called on the thread of the SDK's processor.

        Raises:
            WrongFunctionError: It is a coroutine function, which nobody would await.
        """
        code = getattr(send, "__code__", None)
        if code is not None and code.co_flags & _CO_COROUTINE:
            raise WrongFunctionError(
                f"{send!r} is async, and an exporter of OpenTelemetry awaits nothing"
            )
        self._send = send
        self._closed = False
        self.failed = 0

    def export(self, spans: Sequence[Any], /) -> Any:
        """Send spans; the result is the SDK's `SpanExportResult`: a failure if one has failed."""
        failed = self.failed
        for span in spans:
            scope = span.instrumentation_scope
            if scope is None or scope.name != SCOPE:
                self._send_one(span)
        return _result(succeeded=failed == self.failed)

    def shutdown(self) -> None:
        """Send nothing more: what comes now has failed."""
        self._closed = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's signature
        """Tell that nothing waits here."""
        return True

    def _send_one(self, span: Any) -> None:
        if self._closed:
            self.failed += 1
            return
        try:
            self._send(_payload(span))
        except Exception:  # whatever it is, the rest goes on
            self.failed += 1
            if self.failed == 1:
                getLogger("mist.trace").warning(
                    "%r fails on an OpenTelemetry span; said only once", self._send, exc_info=True
                )


def _payload(span: Any) -> dict[str, Any]:
    context = span.get_span_context()
    payload: dict[str, Any] = {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
    }
    if span.parent is not None:
        payload["parent_id"] = f"{span.parent.span_id:016x}"
    failed = span.status.status_code.name == "ERROR"
    payload |= {
        "operation": plain(span.name),
        "start_ns": span.start_time or 0,
        "end_ns": span.end_time or 0,
        "status": "error" if failed else "ok",
    }
    attrs = to_mist(span.attributes or {})
    if failed:
        _add_failure(attrs, span)
    if attrs:
        payload["attrs"] = attrs
    return payload


def _add_failure(attrs: dict[str, Any], span: Any) -> None:
    if span.status.description:
        attrs.setdefault("error", plain(span.status.description))
    for event in span.events:
        if event.name == "exception":
            found = plain(dict(event.attributes or {}))
            for ours, theirs in (("error", "message"), ("error_type", "type")):
                if f"exception.{theirs}" in found:
                    attrs.setdefault(ours, found[f"exception.{theirs}"])


def _result(*, succeeded: bool) -> Any:
    """Return the result in the terms of the SDK, which is loaded where one calls."""
    sdk = sys.modules.get("opentelemetry.sdk.trace.export")
    if sdk is None:
        return succeeded
    return sdk.SpanExportResult.SUCCESS if succeeded else sdk.SpanExportResult.FAILURE
