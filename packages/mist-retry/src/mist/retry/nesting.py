"""Whether a retry runs inside another one's attempt."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mist.retry.run import Run

around: ContextVar[Run | None] = ContextVar("mist.retry", default=None)
"""The retry around the code that asks.

Tasks and threads that an attempt starts inherit it with their context.
"""


def is_nested() -> bool:
    """Whether the caller runs inside an attempt of another retry.

    What outlives the attempts that started it cannot be retried by them, and is nested no more.
    """
    run = around.get()
    return run is not None and run.in_attempt
