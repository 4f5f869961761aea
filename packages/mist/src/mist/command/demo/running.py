"""`mist demo` as a person runs it."""

import shlex
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mist.cli import Command, UsageError
from mist.command.demo.live import Live
from mist.command.demo.page import page_served
from mist.command.demo.processes import play_in_processes
from mist.command.demo.progress import LiveProgress
from mist.command.demo.report import print_report, report_dict
from mist.command.demo.run import Run, default_directory, new_run, old_run
from mist.command.demo.scoreboard import Scoreboard
from mist.command.demo.settings import Settings
from mist.command.demo.stage import Observer, play_in_process
from mist.lifecycle import Report, shutting_down
from mist.lifecycle import run as run_lifecycle
from mist.output import Writer, progress
from mist.protocol import Message

_DRAIN_SECONDS: Final = 15.0
_INTERRUPTED: Final = {"SIGINT": 130, "SIGTERM": 143}  # 128 and the signal's number


def run_demo(command: Command) -> int:
    """Run the demo, show how it is doing, and print what came of it.

    Returns:
        The exit status: 130 or 143 where Ctrl-C or `kill` came before the end.
    """
    stderr = Writer("table", sys.stderr)
    with _open_run(command) as run:
        stderr.error(f"run {run.id}; its files are in {_shown(run.directory)}")
        board = Scoreboard()
        started = time.monotonic()

        def report() -> None:
            bar.close()
            seconds = time.monotonic() - started
            if command.get_string("format") == "json":
                Writer("json").json(report_dict(run, board, seconds))
            else:
                print_report(board, seconds)

        try:
            with progress(None, "tasks") as bar:
                live = LiveProgress(bar)
                if command.get_bool("serve"):
                    page = Live(run)
                    shown = _page_shown(page, command.get_string("listen"), live.say, report)
                    reason = play(run, board, live, page, around=shown)
                else:
                    reason = play(run, board, live)
                    report()
        finally:
            if not board.is_complete:
                stderr.error(
                    f"{len(board.results)} of {run.settings.tasks} tasks are done; to go on:"
                    f" {_resume_line(command, run)}"
                )
    return 0 if board.is_complete else _INTERRUPTED.get(reason, 1)


def play(
    run: Run, *observers: Observer, around: AbstractAsyncContextManager[object] | None = None
) -> str:
    """Run the four tools to their end, or until a signal comes and what has begun is finished.

    Args:
        run: Which run, and on what transport.
        observers: Each is called with every message that reaches the stage; see `stage`.
        around: Is entered before the run, and left after it, in the same event loop.

    Returns:
        Why it ended, such as `SIGINT`.
    """

    def observe(message: Message) -> None:
        for observer in observers:
            observer(message)

    async def main() -> None:
        play = play_in_process if run.settings.transport == "chan" else play_in_processes
        async with around or nullcontext():
            await play(run, observe, shutting_down())

    reports: list[Report] = []
    run_lifecycle(main, drain_timeout=_DRAIN_SECONDS, on_report=reports.append)
    return reports[0].reason


@asynccontextmanager
async def _page_shown(
    page: Live, listen: str, say: Callable[[str], None], report: Callable[[], None]
) -> AsyncGenerator[None]:
    """Serve the live page of a run, and go on after its report until somebody stops it."""
    async with page_served(page, listen) as url:
        say(f"watch it at {url}")
        yield
        report()
        if not shutting_down().is_set():
            say(f"{url} stays until Ctrl-C")
            await shutting_down().wait()


def _open_run(command: Command) -> AbstractContextManager[Run]:
    base = Path(command.get_string("dir") or default_directory())
    run_id = command.get_string("resume")
    settings = _settings(command, Settings(), lambda _: True)
    if not run_id:
        return new_run(base, settings)
    return old_run(base, run_id, lambda kept: _settings(command, kept, command.has_flag))


def _settings(command: Command, kept: Settings, wants: Callable[[str], bool]) -> Settings:
    values: dict[str, Callable[[str], Any]] = {
        "tasks": command.get_int,
        "workers": command.get_int,
        "fail-rate": command.get_float64,
        "seed": command.get_int,
        "latency": command.get_float64,
        "transport": command.get_string,
    }
    wanted: dict[str, Any] = {
        name.replace("-", "_"): get(name) for name, get in values.items() if wants(name)
    }
    try:
        return replace(kept, **wanted)
    except ValueError as exc:
        raise UsageError(f"--{exc}") from exc


def _resume_line(command: Command, run: Run) -> str:
    directory = command.get_string("dir")
    return shlex.join(
        ["mist", "demo", "--resume", run.id, *(["--dir", directory] if directory else [])]
    )


def _shown(path: Path) -> str:
    """Return a path as a person would type it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
