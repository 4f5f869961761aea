"""`mist demo` as a person runs it."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mist.cli import Command, UsageError
from mist.command.demo.processes import play_in_processes
from mist.command.demo.progress import LiveProgress
from mist.command.demo.report import print_report, report_dict
from mist.command.demo.run import Run, default_directory, new_run, old_run
from mist.command.demo.scoreboard import Scoreboard
from mist.command.demo.settings import Settings
from mist.command.demo.stage import Observer, play_in_process
from mist.lifecycle import run as run_lifecycle
from mist.lifecycle import shutting_down
from mist.output import Writer
from mist.protocol import Message

_DRAIN_SECONDS: Final = 15.0
_INTERRUPTED: Final = 130


def run_demo(command: Command) -> int:
    """Run the demo, show how it is doing, and print what came of it.

    Returns:
        The exit status: 130 where it was interrupted before its end.
    """
    with _open_run(command) as run, LiveProgress() as live:
        live.say(f"run {run.id}; its files are in {run.directory}")
        board = Scoreboard()
        started = time.monotonic()
        try:
            play(run, board, live)
        finally:
            if not board.is_complete:
                live.say(f"{len(board.results)} of {run.settings.tasks} tasks are done")
                live.say(f"to go on: {_resume_line(command, run)}")
        seconds = time.monotonic() - started
    if command.get_string("format") == "json":
        Writer("json").json(report_dict(run, board, seconds))
    else:
        print_report(board, seconds)
    return 0 if board.is_complete else _INTERRUPTED


def play(run: Run, *observers: Observer) -> None:
    """Run the four tools to their end, or until a signal comes and what has begun is finished.

    Args:
        run: Which run, and on what transport.
        observers: Each is called with every message that reaches the stage; see `stage`.
    """

    def observe(message: Message) -> None:
        for observer in observers:
            observer(message)

    async def main() -> None:
        play = play_in_process if run.settings.transport == "chan" else play_in_processes
        await play(run, observe, shutting_down())

    run_lifecycle(main, drain_timeout=_DRAIN_SECONDS)


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
        raise UsageError(str(exc)) from exc


def _resume_line(command: Command, run: Run) -> str:
    directory = command.get_string("dir")
    return f"mist demo --resume {run.id}" + (f" --dir {directory}" if directory else "")
