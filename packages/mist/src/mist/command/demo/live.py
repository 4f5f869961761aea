"""How a run is doing right now, in few and bounded figures: what the live page shows."""

import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mist.command.demo.mail import BREAKER, SUMMARY, BreakerChange
from mist.command.demo.run import Run
from mist.protocol import EvalResult, EvalRun, Message, MessageType, TraceAlert, TraceSpan

BOUNDS_MS: Final = tuple(round(2 ** (step / 2), 1) for step in range(2, 24))
"""Upper bounds of the latency buckets, in milliseconds: 2 to 2,900, two of them an octave."""

_MOST_BINS: Final = 120  # of the throughput, which are then made twice as wide
_MOST_TRACES: Final = 256  # whose spans are kept: the slowest is known when its root has ended
_MOST_CHANGES: Final = 400  # of each breaker, the last ones


@dataclass
class SuiteFigures:
    """The results of one suite so far."""

    tasks: int = 0
    passed: int = 0
    errors: int = 0
    score: float = 0.0
    baseline: float = 0.0


@dataclass
class ModelLoad:
    """What one model was asked so far.

    Attributes:
        buckets: How many calls took up to each of `BOUNDS_MS`, and in the end how many longer.
        state: That of its breaker.
        opened: How often that has opened.
        changes: When it changed its state, in seconds since the start, and to which.
    """

    calls: int = 0
    errors: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    state: str = "closed"
    opened: int = 0
    changes: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])


class Live:
    """An observer that keeps what the live page shows. Its size does not grow with the run."""

    def __init__(self, run: Run, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin at zero.

        Args:
            run: Which run is watched.
            clock: Tells the time, in seconds.
        """
        self._run = run
        self._clock = clock
        self._start = clock()
        self._end: float | None = None
        self._tasks = run.settings.tasks
        self._resumed = 0
        self._suites: dict[str, SuiteFigures] = {}
        self._models: dict[str, ModelLoad] = {}
        self._alerts: list[dict[str, Any]] = []
        self._bins: list[int] = []
        self._bin_seconds = 0.25
        self._traces: OrderedDict[str, list[TraceSpan]] = OrderedDict()
        self._slowest: list[TraceSpan] = []
        self._slowest_ms = 0.0

    def __call__(self, message: Message) -> None:
        """Take a message of the run."""
        if message.type == MessageType.TRACE_SPAN:
            self._take_span(message.decode(TraceSpan))
        elif message.type == MessageType.EVAL_RESULT:
            self._take_result(message.decode(EvalResult))
        elif message.type == MessageType.EVAL_RUN:
            tags = message.decode(EvalRun).tags
            self._tasks, self._resumed = int(tags["tasks"]), int(tags["done"])
        elif message.type == BREAKER:
            self._take_change(message.decode(BreakerChange))
        elif message.type == MessageType.TRACE_ALERT:
            alert = message.decode(TraceAlert)
            self._alerts.append(
                {"at": self._elapsed, "level": alert.level, "message": alert.message}
            )
        elif message.type == SUMMARY:
            self._end = self._clock()

    def snapshot(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        settings = self._run.settings
        return {
            "run": self._run.id,
            "transport": settings.transport,
            "seed": settings.seed,
            "workers": settings.workers,
            "fail_rate": settings.fail_rate,
            "seconds": self._elapsed,
            "over": self._end is not None,
            "tasks": self._tasks,
            "resumed": self._resumed,
            "suites": {name: vars(self._suites[name]) for name in sorted(self._suites)},
            "models": {name: vars(self._models[name]) for name in sorted(self._models)},
            "bounds_ms": BOUNDS_MS,
            "throughput": {"seconds": self._bin_seconds, "bins": self._bins},
            "alerts": self._alerts,
            "slowest": _waterfall(self._slowest),
        }

    @property
    def _elapsed(self) -> float:
        return round((self._clock() if self._end is None else self._end) - self._start, 3)

    def _take_result(self, result: EvalResult) -> None:
        suite = self._suites.setdefault(result.suite, SuiteFigures())
        suite.tasks += 1
        suite.passed += result.passed
        suite.errors += bool(result.error)
        suite.score += result.score
        suite.baseline += result.baseline
        # What earlier processes have done comes first, and at once.
        if sum(each.tasks for each in self._suites.values()) > self._resumed:
            self._count_throughput()

    def _count_throughput(self) -> None:
        place = int(self._elapsed / self._bin_seconds)
        while place >= _MOST_BINS:
            pairs = zip(self._bins[::2], [*self._bins[1::2], 0], strict=False)
            self._bins = [sum(pair) for pair in pairs]
            self._bin_seconds *= 2
            place //= 2
        self._bins += [0] * (place + 1 - len(self._bins))
        self._bins[place] += 1

    def _take_span(self, span: TraceSpan) -> None:
        if span.operation.startswith("infermux."):
            model = self._model(str(span.attrs.get("model", "")))
            model.calls += 1
            model.errors += span.status != "ok"
            model.tokens += sum(
                int(span.attrs.get(name, 0)) for name in ("tokens_in", "tokens_out")
            )
            model.cost_usd += float(span.attrs.get("cost_usd", 0.0))
            model.buckets[bisect_left(BOUNDS_MS, _duration_ms(span))] += 1
        spans = self._traces.setdefault(span.trace_id, [])
        spans.append(span)
        if span.operation == "matchspec.evaluate" and _duration_ms(span) > self._slowest_ms:
            self._slowest, self._slowest_ms = spans, _duration_ms(span)
        if len(self._traces) > _MOST_TRACES:
            self._traces.popitem(last=False)

    def _take_change(self, change: BreakerChange) -> None:
        model = self._model(change.name)
        model.state = change.new
        model.opened += change.new == "open"
        model.changes = [*model.changes[1 - _MOST_CHANGES :], (self._elapsed, change.new)]

    def _model(self, name: str) -> ModelLoad:
        return self._models.setdefault(name, ModelLoad())


def _duration_ms(span: TraceSpan) -> float:
    return (span.end_ns - span.start_ns) / 1e6


def _waterfall(spans: list[TraceSpan]) -> list[dict[str, Any]]:
    """Return the spans of a trace in the order of a tree, each with its depth and its times."""
    if not spans:
        return []
    children: dict[str, list[TraceSpan]] = {}
    known = {_short(span.span_id) for span in spans}
    for span in sorted(spans, key=lambda each: each.start_ns):
        parent = _short(span.parent_id)  # it may be on its way still
        children.setdefault(parent if parent in known else "", []).append(span)
    start = min(span.start_ns for span in spans)
    rows: list[dict[str, Any]] = []
    waiting = [(span, 0) for span in reversed(children.get("", []))]
    while waiting:
        span, depth = waiting.pop()
        rows.append(
            {
                "operation": span.operation,
                "status": span.status,
                "depth": depth,
                "start_ms": round((span.start_ns - start) / 1e6, 3),
                "ms": round(_duration_ms(span), 3),
            }
        )
        waiting += [
            (child, depth + 1) for child in reversed(children.get(_short(span.span_id), []))
        ]
    return rows


def _short(span_id: str) -> str:
    """Return the part of a span's id by which a span in another process knows its parent."""
    return span_id[-16:]
