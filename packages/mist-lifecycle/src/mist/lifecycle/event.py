"""The word that the end has begun."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio


class Event:
    """Set once, for good, when the shutdown begins; `shutting_down()` returns it."""

    __slots__ = ("_begun",)

    def __init__(self, begun: asyncio.Event) -> None:
        self._begun = begun

    def is_set(self) -> bool:
        """Whether the shutdown has begun; may be asked from any thread."""
        return self._begun.is_set()

    async def wait(self) -> None:
        """Wait, in the event loop of the run, until the shutdown begins."""
        await self._begun.wait()

    def __repr__(self) -> str:
        return f"<Event: {'shutting down' if self.is_set() else 'not shutting down'}>"
