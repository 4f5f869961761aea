"""What a run has come to, gathered from its messages."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from mist.command.demo.mail import BREAKER, SUMMARY, BreakerChange, Summary
from mist.protocol import EvalResult, EvalRun, Message, MessageType, TraceAlert


@dataclass(frozen=True)
class SuiteScore:
    """How one suite went.

    Attributes:
        suite: Its name.
        tasks: How many of its tasks have a result.
        passed: How many of them passed.
        errors: How many have no score, because a model failed in every attempt.
        score: The mean score, 0 to 1.
        baseline: That of the baseline.
    """

    suite: str
    tasks: int
    passed: int
    errors: int
    score: float
    baseline: float

    @property
    def delta(self) -> float:
        """How much better than the baseline."""
        return round(self.score - self.baseline, 9)


class Scoreboard:
    """An observer that keeps what there is to tell at the end.

    Attributes:
        tasks: How many tasks there are; 0 until that is known.
        resumed: How many of them an earlier process had done.
        results: The result of each task, by its name.
        changes: What breakers did.
        alerts: What was alerted.
        summary: The figures; None until the run is over.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tasks = 0
        self.resumed = 0
        self.results: dict[str, EvalResult] = {}
        self.changes: list[BreakerChange] = []
        self.alerts: list[TraceAlert] = []
        self.summary: Summary | None = None

    def __call__(self, message: Message) -> None:
        """Take a message of the run."""
        if message.type == MessageType.EVAL_RUN:
            tags = message.decode(EvalRun).tags
            self.tasks, self.resumed = int(tags["tasks"]), int(tags["done"])
        elif message.type == MessageType.EVAL_RESULT:
            result = message.decode(EvalResult)
            self.results[result.task] = result
        elif message.type == MessageType.TRACE_ALERT:
            self.alerts.append(message.decode(TraceAlert))
        elif message.type == BREAKER:
            self.changes.append(message.decode(BreakerChange))
        elif message.type == SUMMARY:
            self.summary = message.decode(Summary)

    @property
    def is_complete(self) -> bool:
        """Whether every task has its result."""
        return 0 < self.tasks == len(self.results)

    def suites(self) -> list[SuiteScore]:
        """Return how each suite went."""
        names = sorted({result.suite for result in self.results.values()})
        return [self._score(name, self._results_of(name)) for name in names]

    def total(self) -> SuiteScore:
        """Return how all of them went together."""
        return self._score("total", list(self.results.values()))

    def fingerprint(self) -> str:
        """Return what is the same for two runs exactly when their results are the same.

        Durations are left out: they are the one thing that time and transport may change.
        """
        lines = [
            (each.task, each.suite, each.score, each.baseline, each.error)
            for _, each in sorted(self.results.items())
        ]
        return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]

    def _results_of(self, suite: str) -> list[EvalResult]:
        return [result for result in self.results.values() if result.suite == suite]

    def _score(self, name: str, results: list[EvalResult]) -> SuiteScore:
        return SuiteScore(
            name,
            tasks=len(results),
            passed=sum(result.passed for result in results),
            errors=sum(bool(result.error) for result in results),
            score=_mean(result.score for result in results),
            baseline=_mean(result.baseline for result in results),
        )


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return round(sum(numbers) / len(numbers), 9) if numbers else 0.0
