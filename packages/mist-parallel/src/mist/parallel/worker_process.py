"""What a worker process does before its first input."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading


def prepare() -> None:
    """Leave Ctrl-C to the parent, and end with it.

    A terminal sends Ctrl-C to all processes of a program at once; the parent decides what is to
    be done. Should it be killed, nobody would ever tell the worker to end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="mist.parallel watch", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
