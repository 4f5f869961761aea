"""Run a command to its end; a cancelled one takes its whole process group with it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What would let the caller's environment leak into an isolated one.
_LEAKS = ("PYTHONHOME", "PYTHONPATH", "PYTEST_ADDOPTS", "VIRTUAL_ENV", "CONDA_PREFIX")


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    argv: tuple[str, ...]
    status: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether it ended with status 0."""
        return self.status == 0

    def __str__(self) -> str:
        return f"$ {' '.join(self.argv)}\n{self.output.rstrip()}\n(exit status {self.status})"


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy this process's environment without what leaks packages into another one."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEAKS}
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", **(extra or {})}


async def run(
    *argv: str | os.PathLike[str], cwd: Path, env: Mapping[str, str] | None = None
) -> Finished:
    """Run a command with its output captured; cancellation kills it and all it started."""
    words = tuple(os.fspath(each) for each in argv)
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *words,
            cwd=cwd,
            env=clean_environment(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    )
    try:
        # Shielded, because what has started before the cancellation arrives has children too.
        process = await asyncio.shield(starting)
        output, _ = await process.communicate()
    finally:
        process = await starting
        if process.returncode is None:
            _kill(process)
            await process.wait()
    return Finished(words, process.returncode or 0, output.decode("utf-8", "replace"))


def cancel_on_sigterm() -> None:
    """Let SIGTERM cancel the running task, so that what it started ends with it."""
    if sys.platform != "win32" and (task := asyncio.current_task()):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
