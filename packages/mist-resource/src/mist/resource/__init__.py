"""Bounds on what a process uses at a time, and what it uses now."""

from mist.resource.errors import BudgetExceeded, ResourceError
from mist.resource.limiter import Limiter
from mist.resource.memory import MemoryBudget
from mist.resource.monitor import Monitor
from mist.resource.usage import Snapshot, heap_usage, take_snapshot, task_count

__all__ = [
    "BudgetExceeded",
    "Limiter",
    "MemoryBudget",
    "Monitor",
    "ResourceError",
    "Snapshot",
    "heap_usage",
    "take_snapshot",
    "task_count",
]

for _public in (
    BudgetExceeded,
    Limiter,
    MemoryBudget,
    Monitor,
    ResourceError,
    Snapshot,
    heap_usage,
    take_snapshot,
    task_count,
):
    _public.__module__ = __name__
del _public
