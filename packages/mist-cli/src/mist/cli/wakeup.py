"""An event loop that no signal finds asleep."""

import os
import signal
import socket
import threading
from asyncio import AbstractEventLoop
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def woken_by_signals(loop: AbstractEventLoop) -> Generator[None, None, None]:
    """While entered, every signal wakes the loop, so that its handler runs at once.

    Python runs handlers between two bytecodes. A signal that strikes after the last of them
    and before the loop waits would else be noticed at the loop's next event, if there is one.

    Args:
        loop: the running loop.
    """
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        # Windows' loop sees to it by itself, and only the main thread gets signals.
        yield
        return
    inside, outside = socket.socketpair()
    with inside, outside:
        inside.settimeout(0)
        outside.settimeout(0)
        loop.add_reader(inside, inside.recv, 4096)
        former = signal.set_wakeup_fd(outside.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(former)
            loop.remove_reader(inside)
