"""Trying again what failed, as a middleware."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from mist.protocol import Message
from mist.transport.errors import EndOfStream, TransportClosed, code_of, wish_of
from mist.transport.interface import Transport
from mist.transport.layer import Layer, Middleware, require

T = TypeVar("T")

_MOST_NOTES = 10
_WORTH_RETRYING = frozenset({"internal", "timeout", "transport", "unavailable", "rate_limit"})


class RetryPolicy(Protocol):
    """Says how often, and after what waits, to try again.

    An attribute `max_wait`, in seconds, caps what a peer may ask for with `retry_after`.
    """

    def waits(self) -> Iterable[float]: ...  # noqa: D102


def with_retry(policy: RetryPolicy) -> Middleware:
    """Try again what failed for a reason that may pass.

    That is an error of code internal, timeout, transport, unavailable or rate_limit, but neither
    `TransportClosed` nor `EndOfStream`. A wish of the peer (`retry_after`) is honoured, up to
    the policy's `max_wait`. The last error is raised as it came, with a note of the attempts.

    A send that timed out may have arrived, so that trying again delivers it twice; the
    message's id tells.

    Args:
        policy: Has `waits()`, the seconds before each further attempt.

    Raises:
        TypeError: It is no policy.
    """
    require("with_retry", policy, "waits")
    return lambda transport: _Retried(transport, policy)


class _Retried(Layer):
    def __init__(self, inner: Transport, policy: RetryPolicy) -> None:
        super().__init__(inner)
        self._policy = policy

    async def send(self, message: Message) -> None:
        await self._persist(lambda: self.inner.send(message))

    async def receive(self) -> Message:
        return await self._persist(self.inner.receive)

    async def _persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        waits: Iterator[float] | None = None
        failures: list[str] = []
        while True:
            try:
                return await operation()
            except Exception as exc:
                if waits is None:
                    waits = iter(self._policy.waits())
                wait = next(waits, None) if _is_worth_retrying(exc) else None
                if wait is None:
                    _note_attempts(exc, failures)
                    raise
                wait = self._honour(exc, wait)
                failures.append(f"{type(exc).__name__}: {exc}")
            await asyncio.sleep(wait)

    def _honour(self, exc: Exception, wait: float) -> float:
        """Return the wait, or a longer one that the peer asked for."""
        wish = wish_of(exc)
        return max(wait, min(wish, getattr(self._policy, "max_wait", wish)))


def _is_worth_retrying(exc: Exception) -> bool:
    return not isinstance(exc, (EndOfStream, TransportClosed)) and code_of(exc) in _WORTH_RETRYING


def _note_attempts(exc: Exception, failures: list[str]) -> None:
    if failures:
        exc.add_note(f"gave up after {len(failures) + 1} attempts")
        for number, failure in enumerate(failures[:_MOST_NOTES], start=1):
            exc.add_note(f"attempt {number}: {failure}")
