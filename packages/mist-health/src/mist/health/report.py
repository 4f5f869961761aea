"""What a probe found out, and the two forms in which it is told."""

from __future__ import annotations

from mist.health.go_duration import go_duration

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal


class CheckResult:
    """What one check found.

    Attributes:
        name: the check's name.
        critical: whether the service is unready while this check fails.
        problem: what is wrong, on one line; None if nothing is.
        public_problem: the same without the text of exceptions.
        timestamp: when it was found, in seconds since the epoch.
        duration: how long it took to find out, in seconds.
        age: seconds that had passed since, when it was reported; large for a cached result.
    """

    __slots__ = ("age", "critical", "duration", "name", "problem", "public_problem", "timestamp")

    def __init__(
        self,
        *,
        name: str,
        critical: bool,
        problem: str | None,
        public_problem: str | None,
        timestamp: float,
        duration: float,
        age: float,
    ) -> None:
        self.name = name
        self.critical = critical
        self.problem = problem
        self.public_problem = public_problem
        self.timestamp = timestamp
        self.duration = duration
        self.age = age

    def __repr__(self) -> str:
        return f"<CheckResult {self.name!r}: {self.problem or 'ok'}>"


class Report:
    """The state of a service.

    Attributes:
        tool: the service's name.
        version: its version.
        release_id: what exactly is deployed, such as a commit; None if not told.
        uptime: seconds since the handler was made.
        marked_ready: False after `set_ready(False)`.
        checks: what each check found, by name, in the order of the names; empty where none ran.
    """

    __slots__ = ("checks", "marked_ready", "release_id", "tool", "uptime", "version")

    def __init__(
        self,
        *,
        tool: str,
        version: str,
        release_id: str | None,
        uptime: float,
        marked_ready: bool,
        checks: Mapping[str, CheckResult],
    ) -> None:
        self.tool = tool
        self.version = version
        self.release_id = release_id
        self.uptime = uptime
        self.marked_ready = marked_ready
        self.checks = checks

    def __repr__(self) -> str:
        return f"<Report {self.tool!r}: {self.status}, {'ready' if self.ready else 'not ready'}>"

    @property
    def ready(self) -> bool:
        """Whether the service may get traffic: marked ready, and no critical check fails."""
        return self.marked_ready and not any(
            each.critical and each.problem for each in self.checks.values()
        )

    @property
    def status(self) -> Literal["ok", "degraded", "not_ready"]:
        """`degraded` if any check fails, critical or not; `not_ready` after `set_ready(False)`."""
        if not self.marked_ready:
            return "not_ready"
        return "degraded" if any(each.problem for each in self.checks.values()) else "ok"

    def to_dict(self, *, details: bool = True) -> dict[str, Any]:
        """Return the form that mist-go writes, in its order.

        Args:
            details: whether to show what exceptions say.
        """
        told: dict[str, Any] = {
            "status": self.status,
            "tool": self.tool,
            "version": self.version,
            "uptime": go_duration(self.uptime),
        }
        if self.checks:
            told["checks"] = {
                name: _told_problem(each, details=details) or "ok"
                for name, each in self.checks.items()
            }
        return told

    def to_health_dict(self, *, details: bool = True) -> dict[str, Any]:
        """Return the form of draft-inadarei-api-health-check-06, `application/health+json`.

        Args:
            details: whether to show what exceptions say.
        """
        status = "warn" if self.status == "degraded" else "pass"
        told: dict[str, Any] = {
            "status": status if self.ready else "fail",
            "version": self.version,
        }
        if self.release_id is not None:
            told["releaseId"] = self.release_id
        if not self.marked_ready:
            told["output"] = "not ready"
        told["serviceId"] = self.tool
        components: dict[str, list[dict[str, Any]]] = {
            name: [_component(each, details=details)] for name, each in self.checks.items()
        }
        # One of the draft's own names; a check of that name shares its array.
        components.setdefault("uptime", []).append(
            {
                "componentType": "system",
                "observedValue": round(self.uptime, 3),
                "observedUnit": "s",
                "status": "pass",
            }
        )
        told["checks"] = components
        return told


def _told_problem(result: CheckResult, *, details: bool) -> str | None:
    return result.problem if details else result.public_problem


def _component(result: CheckResult, *, details: bool) -> dict[str, str]:
    from datetime import UTC, datetime  # noqa: PLC0415  # loads when it is used

    time = datetime.fromtimestamp(result.timestamp, UTC).isoformat(timespec="milliseconds")
    told = {
        "componentId": result.name,
        "componentType": "component",
        "status": "pass",
        "time": time.replace("+00:00", "Z"),
    }
    problem = _told_problem(result, details=details)
    if problem is not None:
        told["status"] = "fail" if result.critical else "warn"
        told["output"] = problem
    return told
