"""Progress that any number of threads count and a terminal or a log shows."""

from __future__ import annotations

import os
import sys
import time
from weakref import WeakSet

from mist.output.terminal import is_terminal, unwrapped

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self, TextIO

    from mist.output.progress_report import Count, Report


class _Silence:
    """The report of a program without a standard error, and of a forked child."""

    def advanced(self, count: Count) -> None:
        pass

    def close(self, count: Count, *, interrupted: bool) -> None:
        pass


class Progress:
    """Counts work that is done and shows it: a bar on a terminal, plain lines elsewhere.

    Made by `progress`, and shown from its creation until `close`, or the end of its `with` block.
    Every method may be called from any thread. The object itself is callable as
    `progress(done, total)`, the form that callbacks take. Trouble in writing the report never
    reaches the work. In a forked child it counts on, and shows nothing: the parent does.
    """

    def __init__(
        self,
        total: int | None,
        label: str,
        *,
        stream: TextIO | None,
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        import threading  # noqa: PLC0415  # loads when there is something to count

        self.total = total
        self.label = label
        self._done = 0
        self._lock = threading.Lock()
        self._closed = False
        self._show_by(self._open_report(stream, interval, clock))
        _of_this_process.add(self)

    @property
    def done(self) -> int:
        """How much is done so far."""
        return self._done

    def advance(self, count: int = 1) -> None:
        """Count `count` more as done."""
        with self._lock:
            self._done += count
        self._advanced(self)

    def update(self, done: int, total: int | None = None) -> None:
        """Set how much is done, and the total if one is given."""
        with self._lock:
            self._done = done
            if total is not None:
                self.total = total
        self._advanced(self)

    __call__ = update

    def close(self, *, interrupted: bool = False) -> None:
        """Show the last state and give the terminal back; closing again does nothing.

        Args:
            interrupted: The work has ended early, and the last line shall say so.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._report.close(self, interrupted=interrupted)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(interrupted=exc_type is not None)

    def after_fork(self) -> None:
        """Leave what is shown to the parent, and a lock that one of its threads may hold."""
        import threading  # noqa: PLC0415  # is there already

        self._lock = threading.Lock()
        self._show_by(_Silence())

    def _show_by(self, report: Report) -> None:
        self._report = report
        self._advanced = report.advanced

    def _open_report(
        self, stream: TextIO | None, interval: float, clock: Callable[[], float]
    ) -> Report:
        stream = sys.stderr if stream is None else stream
        if stream is None:  # pyright: ignore[reportUnnecessaryComparison]  # pythonw has no stderr
            return _Silence()
        stream = unwrapped(stream)
        if is_terminal(stream):
            from mist.output.progress_bar import ProgressBar  # noqa: PLC0415  # loads rich

            return ProgressBar(self, stream)
        from mist.output.progress_lines import ProgressLines  # noqa: PLC0415  # its twin

        return ProgressLines(stream, interval, clock)


_of_this_process: WeakSet[Progress] = WeakSet()


def _after_fork() -> None:
    for each in tuple(_of_this_process):
        each.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def progress(
    total: int | None = None,
    label: str = "",
    *,
    stream: TextIO | None = None,
    interval: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Start to show progress: a live bar on a terminal, a plain line now and then elsewhere.

    Args:
        total: How much work there is; None if unknown.
        label: What the work is.
        stream: Where progress is shown; `sys.stderr` if not given, so that stdout stays for data.
        interval: Seconds from one plain line to the next. No thread writes them: a line appears
            with the first count after the interval.
        clock: Seconds that never go back, for the plain lines.
    """
    return Progress(total, label, stream=stream, interval=interval, clock=clock)
