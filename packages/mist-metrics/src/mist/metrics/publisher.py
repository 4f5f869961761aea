"""The thread by which a worker tells the others what it has counted."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mist.metrics.registry import Registry
    from mist.metrics.shared_files import SharedFiles
    from mist.metrics.workers import WorkerDirectory

started: set[WorkerDirectory] = set()
"""Those that have started and not stopped, whose forked children are workers as well."""


class Publisher(threading.Thread):
    """Publishes while the program runs, and once more when it ends.

    The thread is no daemon, so that the interpreter waits for it; it ends when it is the last,
    which it learns by joining one of the others. That works in multiprocessing's children, too,
    which leave without `atexit`.
    """

    def __init__(self, files: SharedFiles, registry: Registry, interval: float) -> None:
        super().__init__(name="mist-metrics-publisher", daemon=False)
        self.files = files
        self._registry = registry
        self._interval = min(interval, threading.TIMEOUT_MAX)
        self._one_at_a_time = threading.Lock()
        self._finished = False
        self._failing = False

    def run(self) -> None:
        """Publish until nothing else runs."""
        while not self._finished:
            other = _other_thread()
            if other is None:
                self.finish()
            else:
                self._publish()
                other.join(self._interval)

    def finish(self) -> None:
        """Publish a last time, and let the thread end."""
        with self._one_at_a_time:
            if not self._finished:
                self._finished = True
                self._try()
                self.files.leave()

    def _publish(self) -> None:
        with self._one_at_a_time:
            if not self._finished:
                self._try()

    def _try(self) -> None:
        """Publish; a full disk, say, is reported once, and tried again the next time."""
        try:
            if not self.files.joined:  # in a forked child, or after somebody removed the files
                self.files.join()
            self.files.publish(self._registry.snapshot())
            self._failing = False
        except Exception:
            if not self._failing:
                logging.getLogger("mist.metrics").exception("publishing metrics fails")
            self._failing = True


def _other_thread() -> threading.Thread | None:
    """Return a thread that keeps the program running."""
    for thread in threading.enumerate():
        if thread.is_alive() and not thread.daemon and not isinstance(thread, Publisher):
            return thread
    return None


def _after_fork() -> None:
    for directory in list(started):
        directory.after_fork()


if hasattr(os, "register_at_fork"):
    # After those of the registries, so that what a child publishes begins at 0, and of threading,
    # which is loaded here: it takes every thread but one for the parent's, and waits for none.
    os.register_at_fork(after_in_child=_after_fork)
