"""tokentrace: collects `trace.span`, keeps figures for each model, sends `trace.alert`.

It keeps every span in a file, and reads it first when a run goes on, so that its figures are those
of the whole run: what was really called, and really paid for, by however many processes.
"""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, Final

from mist.command.demo.desk import Desk
from mist.command.demo.mail import SUMMARY, ModelFigures, Summary
from mist.logging import Logger
from mist.metrics import Histogram, Registry
from mist.protocol import Message, MessageType, ProtocolError, TraceAlert, TraceSpan
from mist.transport import EndOfStream, File

_BUCKETS_MS: Final = tuple(round(1.25**step, 3) for step in range(50))  # 1 ms to a minute
_ENOUGH: Final = 40  # calls of a model before its share of errors means anything

# Metric, level, and the value from which on it is one.
LIMITS: Final = (
    ("error_rate", "warning", 0.1),
    ("error_rate", "critical", 0.25),
    ("p95_ms", "warning", 250.0),
    ("cost_usd", "warning", 0.05),
)


async def run_tokentrace(desk: Desk) -> None:
    """Collect spans until no more can come, then send a summary."""
    figures = Figures(desk.metrics)
    path = desk.directory / "spans.jsonl"
    async with File(path) as kept:
        kept.open_for_appending()  # so that it is there to be read
        async for message in kept_spans(path, desk.log):
            figures.take(message.decode(TraceSpan))
        async for message in desk.inbox:
            try:
                span = message.decode(TraceSpan)
            except ProtocolError as exc:
                desk.log.warning("no span", source=message.source, error=str(exc))
                continue
            await kept.send(message)
            figures.take(span)
            for alert in figures.alerts(str(span.attrs.get("model", ""))):
                desk.log.warning(alert.message, metric=alert.metric, value=alert.value)
                await desk.send(MessageType.TRACE_ALERT, alert)
    slowest = [
        message.decode(dict[str, Any])
        async for message in kept_spans(path, desk.log)
        if message.decode(TraceSpan).trace_id == figures.slowest.trace_id
    ]
    await desk.send(SUMMARY, Summary(figures.models(), slowest))


async def kept_spans(path: Path, log: Logger) -> AsyncGenerator[Message]:
    """Yield the messages of the file, but for lines that a full disk or a power failure has torn."""
    async with File(path) as file:
        while True:
            try:
                message = await file.receive()
            except EndOfStream:
                return
            except ProtocolError as exc:
                log.warning("torn line", error=str(exc))
            else:
                yield message


class Figures:
    """Figures by model, in a registry of metrics."""

    def __init__(self, metrics: Registry) -> None:
        """Begin at zero."""
        self.metrics = metrics
        self.slowest = TraceSpan()
        self.alerted: set[tuple[str, str, str]] = set()
        self.costs: dict[str, float] = {}  # by model; counters count whole numbers

    def take(self, span: TraceSpan) -> None:
        """Count a span."""
        if span.operation == "matchspec.evaluate":
            self.slowest = max(self.slowest, span, key=_duration_ns)
        if not span.operation.startswith("infermux.answer"):
            return
        model = str(span.attrs.get("model", ""))
        self.metrics.counter("calls", model=model).inc()
        self.metrics.counter("errors", model=model).add(int(span.status != "ok"))
        self._latency(model).observe(_duration_ns(span) / 1e6)
        for name in ("tokens_in", "tokens_out"):
            self.metrics.counter(name, model=model).add(int(span.attrs.get(name, 0)))
        self.costs[model] = self.costs.get(model, 0.0) + float(span.attrs.get("cost_usd", 0.0))
        self.metrics.gauge("cost_usd", model=model).set(self.costs[model])

    def model(self, model: str) -> ModelFigures:
        """Return what is known of a model."""
        count, taken = self._count, self._latency(model).snapshot()
        return ModelFigures(
            calls=count("calls", model),
            errors=count("errors", model),
            tokens_in=count("tokens_in", model),
            tokens_out=count("tokens_out", model),
            cost_usd=round(self.costs[model], 9),  # whatever the order of the additions
            p50_ms=taken.percentile(50),
            p95_ms=taken.percentile(95),
            p99_ms=taken.percentile(99),
        )

    def models(self) -> dict[str, ModelFigures]:
        """Return what is known of all models."""
        return {model: self.model(model) for model in sorted(self.costs)}

    def alerts(self, model: str) -> Iterator[TraceAlert]:
        """Give each limit that a model has passed since it was last asked about."""
        if model not in self.costs or (figures := self.model(model)).calls < _ENOUGH:
            return
        values = {
            "error_rate": figures.errors / figures.calls,
            "p95_ms": figures.p95_ms,
            "cost_usd": figures.cost_usd,
        }
        for metric, level, limit in LIMITS:
            value, key = values[metric], (model, metric, level)
            if value >= limit and key not in self.alerted:
                self.alerted.add(key)
                text = f"{model}: {metric} is {value:.3g}, the limit is {limit:g}"
                yield TraceAlert(level, metric, value, limit, text)

    def _latency(self, model: str) -> Histogram:
        return self.metrics.histogram("latency_ms", buckets=_BUCKETS_MS, model=model)

    def _count(self, name: str, model: str) -> int:
        return self.metrics.counter(name, model=model).value


def _duration_ns(span: TraceSpan) -> int:
    return span.end_ns - span.start_ns
