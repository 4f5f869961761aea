"""A run: its id, its directory, and who has it."""

import os
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mist.checkpoint import valid_run_id
from mist.command.demo.dataset import write_dataset
from mist.command.demo.settings import Settings, load_settings, refuse_other_results, write_settings
from mist.errors import Code, MistError
from mist.platform import lock_holder, try_lock
from mist.transport import TransportError

SETTINGS_FILE: Final = "demo.toml"


@dataclass(frozen=True)
class Run:
    """One run of the demo.

    Attributes:
        id: What `--resume` takes.
        directory: Where it keeps its files.
        settings: What it was started with.
    """

    id: str
    directory: Path
    settings: Settings


def default_directory() -> Path:
    """Return where runs are kept: `$XDG_STATE_HOME/mist-demo`, or the same in `~/.local/state`."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "mist-demo"


@contextmanager
def new_run(base: Path, settings: Settings) -> Generator[Run]:
    """Make a run with its dataset, and hold it while entered.

    Raises:
        TransportError: Its directory cannot be made or written.
    """
    run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    run = Run(run_id, base / run_id, settings)
    with ExitStack() as stack:
        try:
            run.directory.mkdir(parents=True, mode=0o700)
            stack.enter_context(_held(run))
            write_dataset(run.directory / "dataset.csv", settings.tasks, settings.seed)
            # Last, so that what can be resumed is whole.
            write_settings(settings, run.directory / SETTINGS_FILE)
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot keep a run in {base}") from exc
        yield run


@contextmanager
def old_run(base: Path, run_id: str, change: Callable[[Settings], Settings]) -> Generator[Run]:
    """Take up a run where it was left, and hold it while entered.

    Args:
        base: Where runs are kept.
        run_id: Which one.
        change: Makes of the run's settings those that are wanted now.

    Raises:
        MistError: There is no such run (code `not_found`), somebody has it, or what is wanted
            would give other results (code `conflict`).
        TransportError: Its directory cannot be written.
    """
    directory = base / run_id
    path = directory / SETTINGS_FILE
    if not valid_run_id(run_id) or not path.is_file():
        known = sorted(each.parent.name for each in base.glob(f"*/{SETTINGS_FILE}"))
        there = f"the last one is {known[-1]}" if known else "there are none"
        raise MistError(Code.NOT_FOUND, f"no run {run_id!r} in {base}; {there}")
    kept = load_settings(path)
    wanted = change(kept)
    refuse_other_results(kept, wanted, run_id)
    run = Run(run_id, directory, wanted)
    with _held(run):
        try:
            write_settings(wanted, path)
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot keep run {run_id} in {base}") from exc
        yield run


@contextmanager
def _held(run: Run) -> Generator[None]:
    path = run.directory / "lock"
    lock = try_lock(path)
    if lock is None:
        holder = lock_holder(path)
        who = "another process" if holder is None else f"process {holder}"
        raise MistError(Code.CONFLICT, f"run {run.id} is in use by {who}")
    with lock:
        yield
