"""Progress on a terminal: live bars on its last lines."""

import atexit
import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, ProgressColumn, Task, TaskID
from rich.progress import Progress as RichProgress
from rich.table import Column
from rich.text import Text

from mist.output.live_display import shown
from mist.output.progress_report import Count
from mist.output.progress_text import count_text, duration_text, rate_text
from mist.output.terminal import console_on, encoding_of, is_terminal, unwrapped
from mist.output.text import cropped, visible

_REDRAWS_PER_SECOND = 10
_TERMINAL_IS_GONE = (OSError, ValueError)  # hung up, or closed: no reason to end the work

_displays: dict[TextIO, "_Display"] = {}
_displays_lock = threading.RLock()


class ProgressBar:
    """One bar among those of its terminal.

    The bar that opened the display stays on the terminal when it is closed; bars that were opened
    beneath it vanish, so that a loop of inner bars leaves nothing behind.
    """

    def __init__(self, count: Count, stream: TextIO) -> None:
        with _displays_lock:
            if stream not in _displays:
                _displays[stream] = _Display(stream)
            self._display = _displays[stream]
            self._task = self._display.add(count)

    def advanced(self, count: Count) -> None:
        """Do nothing: the display reads the counts whenever it draws."""

    def close(self, count: Count, *, interrupted: bool) -> None:  # noqa: ARG002  # the display has it
        """Draw the last state; give the terminal back if this was the last bar."""
        with _displays_lock:
            self._display.finish(self._task, complete=not interrupted)


class _Display:
    """All bars of one terminal, redrawn by one thread that reads their counts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console = console_on(stream)
        self._bars = RichProgress(console=self._console, expand=True)
        # Each with the width in columns from which a terminal has room for it.
        self._columns = (
            (0, _Label(self._console)),
            (40, BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4))),
            (0, _Done()),
            (50, _Rate()),
            (60, _Time()),
        )
        self._counts: dict[TaskID, Count] = {}
        self._first: TaskID | None = None
        self._live: Live | None = None

    def add(self, count: Count) -> TaskID:
        """Add a bar, and the display to the terminal with the first."""
        label = visible(count.label, encoding_of(self._stream))
        task = self._bars.add_task(label, total=count.total)
        self._counts[task] = count
        if self._first is None:
            self._first = task
            shown.append(self.suspended)
            # A program that ends without closing its bar must not leave the cursor hidden.
            atexit.register(self.end)
            self._show()
        return task

    def finish(self, task: TaskID, *, complete: bool) -> None:
        """Give a bar its last state; end the display with the last bar."""
        count = self._counts.pop(task)
        self._bars.update(task, completed=count.done, total=count.total)
        if complete and count.total is None:
            self._bars.update(task, total=count.done)
        self._bars.stop_task(task)
        if task != self._first:
            self._bars.remove_task(task)
        if not self._counts:
            self.end()

    def end(self) -> None:
        """Draw the last state and give the terminal back."""
        self.forget()
        self._hide(erase=False)

    def forget(self) -> None:
        """Draw no more, and leave the terminal as it is."""
        atexit.unregister(self.end)
        _displays.pop(self._stream, None)
        if self.suspended in shown:
            shown.remove(self.suspended)

    @contextmanager
    def suspended(self) -> Generator[None]:
        """Keep the bars off the terminal while the context is entered."""
        with _displays_lock:
            was_shown = self._live is not None
            self._hide(erase=True)
            try:
                yield
            finally:
                if was_shown:
                    self._show()

    def _show(self) -> None:
        # A fresh one each time: a Live that is started again erases lines that are not its own.
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_REDRAWS_PER_SECOND,
            # rich would send a redirected stdout's lines to this terminal instead.
            redirect_stdout=_shares_terminal(sys.stdout),
            redirect_stderr=_shares_terminal(sys.stderr),
        )
        with suppress(*_TERMINAL_IS_GONE):
            self._live.start(refresh=True)

    def _hide(self, *, erase: bool) -> None:
        if self._live is not None:
            self._live.transient = erase
            with suppress(*_TERMINAL_IS_GONE):
                self._live.stop()
            self._live = None

    def _draw(self) -> RenderableType:
        for task, count in tuple(self._counts.items()):
            with suppress(KeyError):  # closed while this was drawn
                self._bars.update(task, completed=count.done, total=count.total)
        width = self._console.width
        self._bars.columns = tuple(column for least, column in self._columns if width >= least)
        return self._bars.make_tasks_table(self._bars.tasks)


def _after_fork() -> None:
    """Leave the terminal to the parent: its thread that draws is not here, its locks may be held."""
    global _displays_lock  # noqa: PLW0603  # one for the parent, one for the child
    _displays_lock = threading.RLock()
    for display in tuple(_displays.values()):
        display.forget()
    for name in ("stdout", "stderr"):
        setattr(sys, name, unwrapped(getattr(sys, name)))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _shares_terminal(stream: TextIO | None) -> bool:
    return stream is not None and is_terminal(stream)


class _Label(ProgressColumn):
    """The label, in at most a third of the terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def render(self, task: Task) -> Text:
        room = self._console.width // 3
        return Text(cropped(task.description, room, self._console.encoding), no_wrap=True)


class _Done(ProgressColumn):
    def render(self, task: Task) -> Text:
        total = None if task.total is None else int(task.total)
        return Text(count_text(int(task.completed), total), "cyan")


class _Rate(ProgressColumn):
    """The rate of late, or over all once the work has ended."""

    def render(self, task: Task) -> Text:
        speed = task.speed
        if task.stop_time is not None and task.elapsed:
            speed = task.completed / task.elapsed
        return Text("" if speed is None else rate_text(speed))


class _Time(ProgressColumn):
    """Time that remains, or that has passed where the end is unknown or reached."""

    def render(self, task: Task) -> Text:
        if task.total is None or task.stop_time is not None:
            return Text(duration_text(task.elapsed or 0.0))
        remaining = task.time_remaining
        return Text("" if remaining is None else f"{duration_text(remaining)} left")
