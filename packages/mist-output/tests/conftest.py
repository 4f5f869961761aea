"""What the tests of this package share: golden data, a real terminal, a real pipe."""

import contextlib
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

_STYLE = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "COLORTERM", "TTY_COMPATIBLE")


@pytest.fixture
def golden() -> Path:
    """The directory of what mist-go wrote."""
    places = [Path(os.environ["MIST_GOLDEN"])] if "MIST_GOLDEN" in os.environ else []
    places += [parent / "shared" / "golden" for parent in Path(__file__).resolve().parents]
    for place in places:
        if place.is_dir():
            return place
    pytest.skip("golden data is not there: set MIST_GOLDEN to its directory")


@pytest.fixture(autouse=True)
def _neutral_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _STYLE:
        monkeypatch.delenv(name, raising=False)


@dataclass
class Ran:
    """How a script ended and what it wrote: on its terminal, on its pipes."""

    status: int
    terminal: str
    stdout: str = ""
    stderr: str = ""


def _environment(extra: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _STYLE}
    return kept | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | extra


@pytest.fixture
def on_terminal() -> Callable[..., Ran]:
    """Run a script on a pseudo-terminal of its own, with stdout and stderr there unless piped.

    It is interrupted once all texts of `interrupt_at` have been on the terminal.
    """
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    import fcntl
    import termios

    def run(
        script: str,
        *,
        columns: int = 80,
        stdout: int | None = None,
        stderr: int | None = None,
        interrupt_at: tuple[str, ...] = (),
        **env: str,
    ) -> Ran:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs if stderr is None else stderr,
            env=_environment(env),
            start_new_session=True,
        )
        os.close(theirs)
        seen = b""
        while chunk := _read(ours):
            seen += chunk
            if interrupt_at and all(text.encode() in seen for text in interrupt_at):
                process.send_signal(signal.SIGINT)
                interrupt_at = ()
        os.close(ours)
        out, err = process.communicate(timeout=30)
        texts = [(data or b"").decode() for data in (seen, out, err)]
        return Ran(process.returncode, texts[0].replace("\r\n", "\n"), *texts[1:])

    return run


def _read(terminal: int) -> bytes:
    """Read from a pseudo-terminal; Linux reports the other end's close as EIO."""
    with contextlib.suppress(OSError):
        return os.read(terminal, 65536)
    return b""


@pytest.fixture
def on_pipes() -> Callable[..., Ran]:
    """Run a script with pipes for stdout and stderr."""

    def run(script: str, **env: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=False,
            env=_environment(env),
        )
        return Ran(done.returncode, "", done.stdout, done.stderr)

    return run
