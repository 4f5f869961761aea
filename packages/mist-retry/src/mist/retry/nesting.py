"""Whether a retry runs inside another one's attempt."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token

    from mist.retry.run import Run

# The retry around, and which of its attempts this is. Tasks and threads that an attempt starts
# inherit it with their context.
_around: ContextVar[tuple[Run, int] | None] = ContextVar("mist.retry", default=None)


def enter(run: Run) -> Token[tuple[Run, int] | None]:
    """What is called from here on belongs to the attempt that `run` has begun."""
    return _around.set((run, run.attempt))


def leave(token: Token[tuple[Run, int] | None]) -> None:
    """The attempt has ended."""
    try:  # noqa: SIM105  # contextlib would cost each attempt, and be slow to import
        _around.reset(token)
    except ValueError:
        pass  # a coroutine that nobody finished is closed in another context than it ran in


def is_nested() -> bool:
    """Whether the caller belongs to an attempt of a retry that is still in progress.

    What outlives the attempt that started it cannot be retried by it, and belongs to none.
    """
    around = _around.get()
    return around is not None and around[0].attempt == around[1]
