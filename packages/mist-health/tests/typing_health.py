"""What users write, checked by mypy and pyright and never run."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, assert_type

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from mist.health import CheckResult, Handler, HealthError, Report, Unhealthy, breaker_not_open

handler = Handler("infermux", "0.2.0", release_id="c0ffee", details=False, cache=5)


def disk(path: str = "/") -> None:
    """Check in a thread."""


async def database(_query: str = "select 1") -> int:
    """Check in the event loop."""
    return 1


class Service:
    """A check that is an object."""

    async def __call__(self) -> None:
        """Check."""
        raise Unhealthy("cold")

    async def ping(self) -> bool:
        """Check."""
        return True


class Breaker:
    """A breaker by its shape."""

    @property
    def state(self) -> Literal["open", "closed"]:
        """The state."""
        return "open"


handler.add_check("disk", disk, timeout=0.5, critical=False, cache=60)
handler.add_check("database", database)
handler.add_check("partial", partial(database, "select 2"))
handler.add_check("object", Service())
handler.add_check("method", Service().ping)
handler.add_check("lambda", lambda: Service().ping())
handler.add_check("breaker", breaker_not_open(Breaker()), critical=False)

endpoints: list[ASGIApp] = [handler.liveness(), handler.readiness()]
app = Starlette(routes=[Route("/readyz", handler.readiness())])


async def look() -> None:
    """Look at a report."""
    report = await handler.check()
    assert_type(report, Report)
    assert_type(report.status, Literal["ok", "degraded", "not_ready"])
    assert_type(report.ready, bool)
    assert_type(report.uptime, float)
    assert_type(report.checks, Mapping[str, CheckResult])
    assert_type(report.checks["disk"].problem, str | None)
    assert_type(report.checks["disk"].age, float)
    assert_type(report.to_dict(), dict[str, Any])
    assert_type(report.to_health_dict(details=False), dict[str, Any])


try:
    handler.remove_check("disk")
except HealthError as error:
    assert_type(error.code, str)
