"""A registered check: when it is run, and when an earlier result still answers."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

from mist.health.go_duration import go_duration
from mist.health.problem import own_problem
from mist.health.report import CheckResult
from mist.health.run import Outcome, Run


class Check:
    """A check of which at most one run is under way; for use from any event loop and thread.

    Args:
        name: what probes call it.
        fn: sync or async; healthy unless it raises.
        timeout: seconds that probes wait for it.
        critical: whether the service is unready while it fails.
        cache: seconds for which a result is not asked for again.
        clock: returns seconds; only differences count.
    """

    def __init__(
        self,
        name: str,
        fn: Callable[[], object],
        *,
        timeout: float,
        critical: bool,
        cache: float,
        clock: Callable[[], float],
    ) -> None:
        self._name = name
        self._fn = fn
        self._timeout = timeout
        self._critical = critical
        self._cache = cache
        self._clock = clock
        self._lock = threading.Lock()
        self._run: Run | None = None
        _checks.add(self)

    async def result(self) -> CheckResult:
        """Return what the check finds, now or within the time that a result is cached.

        A run that has outlived its timeout is not waited for.
        """
        run = self._latest_run()
        stuck = run.settled is not None and run.working and not self._is_fresh(run.settled)
        outcome = self._still_running(run) if stuck else await run.outcome()
        return CheckResult(
            name=self._name,
            critical=self._critical,
            problem=outcome.problem and outcome.problem.text,
            public_problem=outcome.problem and outcome.problem.public,
            timestamp=outcome.timestamp,
            duration=outcome.ended - outcome.began,
            age=self._clock() - outcome.ended,
        )

    def after_fork(self) -> None:
        """Begin anew in a forked child, where neither the run nor who had the lock goes on."""
        self._lock = threading.Lock()
        self._run = None

    def _latest_run(self) -> Run:
        """Return the run under way or the cached one, or start another in this event loop."""
        with self._lock:
            if self._run is not None and (self._run.working or self._is_fresh(self._run.settled)):
                return self._run
            run = self._run = Run(self._name, self._fn, self._timeout, self._clock)
        run.start()
        return run

    def _is_fresh(self, outcome: Outcome | None) -> bool:
        # A run that was cancelled, as by the end of its event loop, has found nothing out.
        return (
            outcome is not None
            and outcome.end != "cancelled"
            and self._clock() - outcome.ended < self._cache
        )

    def _still_running(self, run: Run) -> Outcome:
        now = self._clock()
        problem = own_problem(f"still running after {go_duration(now - run.began)}")
        return Outcome(problem, "timed out", run.began, now, time.time())


_checks: weakref.WeakSet[Check] = weakref.WeakSet()


def _after_fork() -> None:
    for check in tuple(_checks):
        check.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
