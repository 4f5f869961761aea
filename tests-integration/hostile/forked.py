"""Processes that are forked from this one, which has imported everything, and can be killed.

This one runs no event loop of its own, so that a fork is safe, and takes milliseconds.
"""

import os
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import mist.transport.http.listener
import mist.transport.http.sender  # noqa: F401  # before the forks, as the line above
from mist.command import build_app

LONGEST = 60.0
"""How long anything may take that is waited for, in seconds."""


class Process:
    """A forked process, until it is killed or has ended."""

    running: ClassVar[set["Process"]] = set()

    def __init__(self, work: Callable[[], int]) -> None:
        self.pid = os.fork()
        Process.running.add(self)
        if not self.pid:
            status = 1
            try:
                status = work()
            except BaseException:  # noqa: BLE001  # nobody else in this process hears of it
                traceback.print_exc()
            finally:
                os._exit(status)

    def kill(self, after: float) -> int | None:
        """Kill it after some seconds; return its exit status if it has ended before."""
        until = time.monotonic() + after
        while (left := until - time.monotonic()) > 0:
            if (status := self._ended(os.WNOHANG)) is not None:
                return status
            time.sleep(min(left, 0.002))
        os.kill(self.pid, signal.SIGKILL)
        return self._ended(0)

    def wait(self) -> int:
        """Wait for its own end, within a bounded time."""
        status = self.kill(LONGEST)
        assert status is not None, "a process hangs"
        return status

    def _ended(self, flags: int) -> int | None:
        pid, status = os.waitpid(self.pid, flags)
        if pid:
            Process.running.remove(self)
        if not pid or os.WIFSIGNALED(status):
            return None
        return os.waitstatus_to_exitcode(status)


def mist_command(*words: object, output: Path | None = None) -> Process:
    """Run the `mist` command, and show nothing of what it tells."""

    def run() -> int:
        null = os.open(os.devnull, os.O_RDWR)
        out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if output else null
        for descriptor, opened in enumerate((null, out, null)):
            os.dup2(opened, descriptor)
        return build_app().execute([str(word) for word in words])

    return Process(run)
