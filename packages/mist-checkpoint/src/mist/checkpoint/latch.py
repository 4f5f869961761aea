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
        self._mutex = threading.Lock()
        self._thread: threading.Event | None = None
        self._events: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}

    def open(self) -> None:
        """Wake who waits, from any thread: one wake-up for each event loop."""
        with self._mutex:
            self.is_open = True
        if self._thread is not None:
            self._thread.set()
        for loop, event in self._events.items():
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:  # the loop is closed, and with it everyone who waited there
                continue

    def block(self) -> None:
        """Wait in this thread."""
        with self._mutex:
            if self.is_open:
                return
            if self._thread is None:
                self._thread = threading.Event()
        while not self._thread.wait(_LOOK_SECONDS):
            pass

    async def wait(self) -> None:
        """Wait in this task; a cancellation ends only this one's waiting."""
        import asyncio  # noqa: PLC0415  # loaded already where there is a task

        loop = asyncio.get_running_loop()
        with self._mutex:
            if self.is_open:
                return
            event = self._events.get(loop)
            if event is None:
                event = self._events[loop] = asyncio.Event()
        await event.wait()
