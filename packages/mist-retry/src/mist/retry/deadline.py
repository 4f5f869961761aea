"""When the timeout around a task ends, which asyncio does not tell."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio

# Timers looked at. With more than these due before the next attempt, a timeout among the rest is
# not seen; it ends the wait when it comes.
_MOST_TIMERS = 1000


def enclosing_deadline(task: asyncio.Task[object], until: float) -> float | None:
    """When the first `asyncio.timeout` that this task is in ends, if that is before `until`.

    It is looked for among the loop's timers, where each entered timeout is. A timeout that a
    parent task is in is not this task's, and is not found. Neither is any in a loop that keeps
    its timers to itself, as uvloop's does.

    Args:
        task: the current task.
        until: seconds by the clock of its loop, as is the result.
    """
    import asyncio  # noqa: PLC0415  # what runs a task has imported it

    timers: list[asyncio.TimerHandle] = getattr(task.get_loop(), "_scheduled", [])
    earliest = None
    # They are a heap: beneath a timer are only later ones.
    places = [0]
    for place in places:
        if place >= len(timers) or timers[place].when() > until:
            continue
        callback = getattr(timers[place], "_callback", None)
        timeout = getattr(callback, "__self__", None)
        if isinstance(timeout, asyncio.Timeout) and getattr(timeout, "_task", 0) is task:
            until = earliest = timers[place].when()
        if len(places) < _MOST_TIMERS:
            places += (2 * place + 1, 2 * place + 2)
    return earliest
