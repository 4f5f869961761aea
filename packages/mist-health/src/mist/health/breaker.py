"""A circuit breaker's state as a health check."""

from __future__ import annotations

from mist.health.errors import Unhealthy

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Protocol

    class HasState(Protocol):
        """Anything with a state whose text is `closed`, `open` or `half-open`."""

        @property
        def state(self) -> object:
            """The state; only its text counts."""
            ...


def breaker_not_open(breaker: HasState) -> Callable[[], Awaitable[None]]:
    """Return a check that fails while a circuit breaker is open.

    A half-open breaker passes: it needs traffic to find out whether it may close, and a service
    taken out of rotation gets none. For the same reason register it with `critical=False`, unless
    the breaker turns half-open by itself and nothing of the service works without what it guards.

    Args:
        breaker: anything with a `state` whose `str()` is `closed`, `open` or `half-open`.
    """

    async def check() -> None:
        state = str(breaker.state)
        if state == "open":
            raise Unhealthy("circuit open")
        if state not in ("closed", "half-open"):
            raise Unhealthy(f"unknown breaker state {state!r}: expected closed, open or half-open")

    return check
