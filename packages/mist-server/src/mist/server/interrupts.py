"""The signals that end a process."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)


class Interrupts:
    """While entered, the first signal calls a function, and the second ends the process.

    The signals are SIGINT and SIGTERM, on Windows SIGBREAK, too. In other threads than the main
    one nothing is done, for Python takes signals there only.
    """

    def __init__(self, on_signal: Callable[[], None]) -> None:
        """Prepare, in the event loop.

        Args:
            on_signal: Called in the event loop.
        """
        self._loop = asyncio.get_running_loop()
        self._on_signal = on_signal
        self._before: dict[int, Any] = {}
        self._was_signalled = False
        self._process = os.getpid()

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._handle)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  # signal's form
        if os.getpid() != self._process:
            # A forked child has inherited the handler, but not the server.
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
            return
        if self._was_signalled:
            # At once: not even a handler that blocks the event loop can hold it up.
            os._exit(128 + number)
        self._was_signalled = True
        self._loop.call_soon_threadsafe(self._on_signal)
