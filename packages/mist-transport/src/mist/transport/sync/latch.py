"""Waiting for something in a thread so that Ctrl-C ends it."""

import math
import threading
import time

# The longest wait in one piece, in seconds. Ctrl-C ends none on Windows; elsewhere none that it
# came just too early for, or where the system gave the signal to another thread.
_LOOK_SECONDS = 0.5


class Latch:
    """Opens once, and lets through the one thread that waits for it."""

    def __init__(self) -> None:
        self._is_open = False
        # Not a condition: when Ctrl-C ends its wait, it may not have its lock back.
        self._bell = threading.Lock()
        self._bell.acquire()

    def open(self) -> None:
        """Let the thread through."""
        self._is_open = True
        self._bell.release()

    def wait(self, timeout: float = math.inf) -> bool:
        """Block until it is open or so many seconds have passed; return whether it is open."""
        deadline = time.monotonic() + timeout
        while not self._is_open and (left := deadline - time.monotonic()) > 0:
            self._bell.acquire(timeout=min(left, _LOOK_SECONDS))
        return self._is_open
