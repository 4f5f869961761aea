"""Whether a retry runs inside another one's attempt."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token


class Scope:
    """One attempt in progress, from when this is made until `end`.

    Tasks and threads that it starts inherit it with their context. It ends for them as well: what
    outlives an attempt cannot be retried by it, and is nested no more.

    Args:
        max_attempts: of the retry that it belongs to. One attempt is no retry, and must not keep
            what is inside from retrying.
    """

    __slots__ = ("_token", "in_progress")

    in_progress: bool

    def __init__(self, max_attempts: int) -> None:
        self.in_progress = True
        self._token: Token[Scope | None] | None = _innermost.set(self) if max_attempts > 1 else None

    def end(self) -> None:
        """The attempt has ended, in whatever way."""
        self.in_progress = False
        if self._token is not None:
            try:  # noqa: SIM105  # contextlib would cost each attempt, and be slow to import
                _innermost.reset(self._token)
            except ValueError:
                pass  # a coroutine that nobody finished is closed in a context not its own


_innermost: ContextVar[Scope | None] = ContextVar("mist.retry", default=None)


def is_nested() -> bool:
    """Whether the caller runs inside an attempt of another retry."""
    scope = _innermost.get()
    return scope is not None and scope.in_progress
