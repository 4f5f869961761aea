"""The checks of a service, and the endpoints that tell of them."""

from __future__ import annotations

import math
import threading
import time

from mist.health.errors import HealthError
from mist.health.report import Report

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mist.health.check import Check
    from mist.health.probe import Probe
    from mist.health.report import CheckResult


class Handler:
    """The checks of a service, and the endpoints that tell of them.

    May be made before any event loop runs, and be used from any number of loops and threads.

    Args:
        tool: the service's name.
        version: its version.
        release_id: what exactly is deployed, such as a commit; only in `application/health+json`.
        details: whether probes show the text of exceptions, shortened to one line of 256
            characters and with the credentials in URLs masked. Exceptions tell host names and at
            times secrets: pass False where strangers can reach the probes.
        cache: seconds for which the result of a check is not asked for again.
        clock: returns seconds; only differences count.

    Raises:
        HealthError: if `cache` is not a number of seconds.
    """

    def __init__(
        self,
        tool: str,
        version: str,
        *,
        release_id: str | None = None,
        details: bool = True,
        cache: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tool = tool
        self._version = version
        self._release_id = release_id
        self._details = details
        self._cache = _seconds("cache", cache)
        self._clock = clock
        self._started = clock()
        self._ready = True
        self._lock = threading.Lock()
        # Replaced, never changed, so that a probe in another thread can go through it.
        self._checks: Mapping[str, Check] = {}

    def add_check(
        self,
        name: str,
        fn: Callable[[], object],
        *,
        timeout: float = 2.0,
        critical: bool = True,
        cache: float | None = None,
    ) -> None:
        """Register a check for the readiness probe, in place of an earlier one of that name.

        A coroutine function runs in the event loop of the probe that asks, anything else in a
        thread of its own; an awaitable that comes out of the thread is awaited in the loop.

        Args:
            name: what probes call it.
            fn: called without arguments; healthy unless it raises. What it returns does not
                count, but for what looks like a mistake and is therefore reported as a problem:
                False, an exception, something left to await.
            timeout: seconds after which it counts as failed; where the process was stopped for some
                of them, it has as many in addition, once. A coroutine is cancelled then. A
                thread cannot be stopped: until it ends, probes report that it is still running,
                and it is not started again.
            critical: whether the service is unready (503) while the check fails; if False it is
                degraded and still gets traffic (200).
            cache: seconds for which the result, good or bad, is not asked for again; the
                handler's if None.

        Raises:
            HealthError: if an argument is not what it should be; it names the check.
        """
        from mist.health.check import Check  # noqa: PLC0415  # brings asyncio, loads when used

        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise HealthError(f"a check's name is a text that is not empty, not {name!r}")
        if not callable(fn):
            raise HealthError(
                f"check {name!r}: {fn!r} cannot be called; pass the function, not what it returns"
            )
        timeout = _seconds(f"check {name!r}: timeout", timeout)
        if timeout == 0:
            raise HealthError(f"check {name!r}: timeout must be more than 0 seconds")
        if cache is not None:
            cache = _seconds(f"check {name!r}: cache", cache)
        check = Check(
            name,
            fn,
            timeout=timeout,
            critical=critical,
            cache=self._cache if cache is None else cache,
            clock=self._clock,
        )
        with self._lock:
            self._checks = dict(sorted({**self._checks, name: check}.items()))

    def remove_check(self, name: str) -> None:
        """Remove a check; a run of it that is under way ends by itself, and nobody hears of it.

        Raises:
            HealthError: if there is no check of that name (`not_found`).
        """
        with self._lock:
            if name not in self._checks:
                raise HealthError(f"no check is named {name!r}", "not_found")
            self._checks = {key: check for key, check in self._checks.items() if key != name}

    def set_ready(self, ready: bool) -> None:  # noqa: FBT001  # the contract's form
        """Say whether the service wants traffic; True to begin with.

        While it does not, readiness is 503 at once and no check runs. May be called from any
        thread and from a signal handler.
        """
        self._ready = ready

    def liveness(self) -> Probe:
        """Return an ASGI 3 application for `/healthz`: 200 as long as the process answers.

        It runs no checks, for no restart brings a dependency back.
        """
        from mist.health.probe import Probe  # noqa: PLC0415  # loads when it is used

        return Probe(self._alive, details=self._details)

    def readiness(self) -> Probe:
        """Return an ASGI 3 application for `/readyz`: 200 if `check()` finds the service ready."""
        from mist.health.probe import Probe  # noqa: PLC0415  # loads when it is used

        return Probe(self.check, details=self._details)

    async def check(self) -> Report:
        """Run all checks at the same time and report what they find.

        The same as a readiness probe, without HTTP: `asyncio.run(handler.check())` in a script.
        Calls at the same time share the runs; a call that is cancelled leaves them to the others.
        """
        import asyncio  # noqa: PLC0415  # loaded already by whoever awaits this

        if not self._ready:
            return self._report(ready=False)
        async with asyncio.TaskGroup() as group:
            asking = {
                name: group.create_task(check.result()) for name, check in self._checks.items()
            }
        found = {name: task.result() for name, task in asking.items()}
        return self._report(ready=self._ready, checks=found)

    async def _alive(self) -> Report:
        return self._report(ready=True)

    def _report(self, *, ready: bool, checks: Mapping[str, CheckResult] | None = None) -> Report:
        return Report(
            tool=self._tool,
            version=self._version,
            release_id=self._release_id,
            uptime=self._clock() - self._started,
            marked_ready=ready,
            checks=checks or {},
        )


def _seconds(what: str, value: float) -> float:
    # A bool is an int to Python, but nobody means it.
    number = isinstance(value, int | float) and not isinstance(value, bool)  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
    if not number or not math.isfinite(value) or value < 0:
        raise HealthError(f"{what} must be a number of seconds, not {value!r}")
    return value
