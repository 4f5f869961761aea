"""Something that happens once, and that any thread and any task can wait for."""

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

# The longest wait in one piece, in seconds. Ctrl-C ends none on Windows; elsewhere none that it
# came just too early for, or where the system gave the signal to another thread.
_LOOK_SECONDS = 0.5


class Latch:
    """Opens once, and stays open; who waits is woken, whether thread or task of whichever loop."""

    __slots__ = ("_events", "_mutex", "_thread", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        # Reentrant, and whoever is about to wait looks last whether it is open: in any of the lines
        # that hold it, the collector may close an abandoned coroutine, which opens its latch.
        self._mutex = threading.RLock()
        self._thread: threading.Event | None = None
        self._events: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}

    def open(self) -> None:
        """Wake who waits, from any thread: one wake-up for each event loop."""
        with self._mutex:
            self.is_open = True
            thread, events = self._thread, tuple(self._events.items())
        if thread is not None:
            thread.set()
        for loop, event in events:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:  # the loop is closed, and with it everyone who waited there
                continue

    def block(self) -> None:
        """Wait in this thread."""
        if self.is_open:
            return
        with self._mutex:
            thread = self._thread = self._thread or threading.Event()
        while not self.is_open:
            thread.wait(_LOOK_SECONDS)

    async def wait(self) -> None:
        """Wait in this task; a cancellation ends only this one's waiting."""
        import asyncio  # noqa: PLC0415  # loaded already where there is a task

        if self.is_open:
            return
        loop = asyncio.get_running_loop()
        with self._mutex:
            event = self._events.setdefault(loop, asyncio.Event())
            if self.is_open:
                return
        await event.wait()
