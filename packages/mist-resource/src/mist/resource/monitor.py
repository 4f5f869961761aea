"""What several limiters and budgets are at."""

from __future__ import annotations

import threading

from mist.resource.errors import ResourceError
from mist.resource.limiter import Limiter
from mist.resource.memory import MemoryBudget


class Monitor:
    """Tells the state of the limiters and budgets that it tracks."""

    def __init__(self) -> None:
        self._tracked: dict[str, Limiter | MemoryBudget] = {}
        self._lock = threading.Lock()

    def track(self, limiter: Limiter) -> None:
        """Track a limiter.

        Raises:
            ResourceError: Another resource of that name is tracked.
        """
        self._add(limiter)

    def track_budget(self, budget: MemoryBudget) -> None:
        """Track a memory budget.

        Raises:
            ResourceError: Another resource of that name is tracked.
        """
        self._add(budget)

    def status(self) -> dict[str, dict[str, int]]:
        """Return the state of each by its name, sorted; plain data, ready for JSON.

        As in mist-go: `active`, `max`, and for a limiter that was ever used, `total`. Of a
        budget, the first two are bytes.
        """
        with self._lock:
            tracked = sorted(self._tracked.items())
        return {name: _state(resource) for name, resource in tracked}

    def _add(self, resource: Limiter | MemoryBudget) -> None:
        with self._lock:
            known = self._tracked.setdefault(resource.name, resource)
        if known is not resource:
            raise ResourceError(
                f"another resource named {resource.name!r} is tracked: their states would be"
                " taken for each other's"
            )


def _state(resource: Limiter | MemoryBudget) -> dict[str, int]:
    if isinstance(resource, MemoryBudget):
        return {"active": resource.reserved, "max": resource.limit}
    state = {"active": resource.active, "max": resource.max}
    return {**state, "total": resource.total} if resource.total else state
