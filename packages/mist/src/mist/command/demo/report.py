"""The report of a run: tables for people, one JSON object for scripts."""

import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

from mist.command.demo.matchspec import BASELINE, CANDIDATE
from mist.command.demo.run import Run
from mist.command.demo.scoreboard import Scoreboard, SuiteScore
from mist.output import Writer
from mist.trace import render


def report_dict(run: Run, board: Scoreboard, seconds: float) -> dict[str, Any]:
    """Return the report as JSON values.

    Args:
        run: Which run.
        board: What it came to.
        seconds: What this part of it took.
    """
    return {
        "run": run.id,
        "directory": str(run.directory),
        "complete": board.is_complete,
        "fingerprint": board.fingerprint(),
        "settings": asdict(run.settings),
        "seconds": round(seconds, 3),
        "resumed": board.resumed,
        "suites": [_suite_dict(each) for each in board.suites()],
        "total": _suite_dict(board.total()),
        "models": {} if board.summary is None else asdict(board.summary)["models"],
        "breakers": [asdict(change) for change in board.changes],
        "alerts": [
            {
                "level": each.level,
                "metric": each.metric,
                "value": each.value,
                "message": each.message,
            }
            for each in board.alerts
        ],
        "slowest": [] if board.summary is None else board.summary.slowest,
    }


def print_report(board: Scoreboard, seconds: float) -> None:
    """Print the report as tables to standard output."""
    writer = Writer("table")
    if board.results:
        _heading(f"Results of {CANDIDATE} against the baseline {BASELINE}")
        writer.table(
            ["suite", "tasks", "passed", "errors", "score", "baseline", "delta"],
            [_suite_row(each) for each in (*board.suites(), board.total())],
        )
    if board.summary is not None:
        _heading("Cost and latency of all calls")
        writer.table(
            ["model", "calls", "errors", "tokens in", "out", "cost", "p50 ms", "p95 ms", "p99 ms"],
            [
                (
                    model,
                    each.calls,
                    f"{each.errors / each.calls:.1%}",
                    each.tokens_in,
                    each.tokens_out,
                    f"${each.cost_usd:.5f}",
                    *(f"{ms:.0f}" for ms in (each.p50_ms, each.p95_ms, each.p99_ms)),
                )
                for model, each in board.summary.models.items()
            ],
        )
        if board.summary.slowest:
            _heading("The slowest task")
            print(_expressible(render(board.summary.slowest)))  # noqa: T201  # what was asked for
    if board.changes:
        _heading("Circuit breakers")
        opened = Counter(change.name for change in board.changes if change.new == "open")
        last = {change.name: change.new for change in board.changes}
        writer.table(["model", "opened", "now"], [(m, opened[m], last[m]) for m in sorted(last)])
    if board.alerts:
        _heading("Alerts")
        writer.table(["level", "alert"], [(each.level, each.message) for each in board.alerts])
    done = len(board.results) - board.resumed
    print(f"\n{done} tasks in {seconds:.1f} s, results {board.fingerprint()}")  # noqa: T201  # as above


def _heading(text: str) -> None:
    print(f"\n{text}")  # noqa: T201  # as above


def _expressible(text: str) -> str:
    """Return a text with `?` for what standard output cannot express, as in a file on Windows."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _suite_row(each: SuiteScore) -> tuple[object, ...]:
    scores = (f"{each.score:.3f}", f"{each.baseline:.3f}", f"{each.delta:+.3f}")
    return each.suite, each.tasks, each.passed, each.errors, *scores


def _suite_dict(each: SuiteScore) -> dict[str, Any]:
    return {**asdict(each), "delta": each.delta}
