"""The mist command as a process of its own, listeners, and messages to move."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mist.command import build_app
from mist.protocol import HealthPing, Message, MessageType, marshal_lines

_PATIENCE = 90  # seconds; in development mode, 2,000 requests on a busy machine take half of it

Start = Callable[..., subprocess.Popen[str]]


@dataclass
class Ended:
    """How a process ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `mist` with these words in an empty directory; keywords are environment variables."""
    started: list[subprocess.Popen[str]] = []

    def start_mist(
        *words: object, stdin: object = subprocess.DEVNULL, stdout: object = None, **env: str
    ) -> subprocess.Popen[str]:
        inherited = {name: text for name, text in os.environ.items() if name[:5] != "MIST_"}
        process = subprocess.Popen(
            [sys.executable, "-m", "mist.command", *map(str, words)],
            cwd=tmp_path,
            stdin=stdin,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=inherited | env,
        )
        started.append(process)
        return process

    yield start_mist
    for process in started:
        process.kill()
        with process:
            pass


@pytest.fixture
def begun() -> Callable[[subprocess.Popen[str]], None]:
    """Wait until a process has begun its command, which is when it sees to SIGTERM itself."""

    def wait(process: subprocess.Popen[str]) -> None:
        status = Path(f"/proc/{process.pid}/status")
        if not status.exists():
            time.sleep(1.5)  # a system that cannot be asked
            return
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            (caught,) = re.findall(r"^SigCgt:\s*(\w+)", status.read_text(), re.MULTILINE)
            if int(caught, 16) >> signal.SIGTERM - 1 & 1:
                return
            time.sleep(0.01)
        pytest.fail("the command has not begun")

    return wait


@pytest.fixture
def mist(start: Start) -> Callable[..., Ended]:
    """Run `mist` to its end; `given` goes to its standard input."""

    def run(*words: object, given: str | None = None, **env: str) -> Ended:
        stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
        process = start(*words, stdin=stdin, **env)
        out, err = process.communicate(given, timeout=_PATIENCE)
        return Ended(process.returncode, out, err)

    return run


@pytest.fixture
def execute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ended]:
    """Run `mist` inside this process and an empty directory, where many short runs are wanted."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Ended:
        status = build_app().execute([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ended(status, out, err)

    return run


@dataclass
class Listener:
    """A running `mist listen`."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> str:
        """The port it listens on."""
        return re.findall(r":(\d+)", self.url)[0]

    def end(self, *, patience: float = _PATIENCE) -> Ended:
        """End it as `kill` does, and wait for its end."""
        self.process.terminate()
        return self.wait(patience=patience)

    def wait(self, *, patience: float = _PATIENCE) -> Ended:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=patience)
        return Ended(self.process.returncode, out, err)


@pytest.fixture
def listen(start: Start) -> Callable[..., Listener]:
    """Start `mist listen` on a free port, and return once it listens."""

    def start_listener(*words: object, port: str = "0", **options: object) -> Listener:
        process = start("listen", f"127.0.0.1:{port}", *words, **options)
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("listening at "), first + process.stderr.read()
        return Listener(process, first.split()[-1])

    return start_listener


def _message(number: int) -> Message:
    message = Message.new("test", "acme.order", {"n": number, "note": "ü <&> " * (number % 7)})
    return message.with_checksum() if number % 2 else message


@pytest.fixture
def messages() -> Callable[[int], list[Message]]:
    """Make that many messages, half of them with a checksum."""
    return lambda count: [_message(number) for number in range(count)]


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """A file of 2,000 messages."""
    path = tmp_path / "stream.jsonl"
    path.write_bytes(marshal_lines(map(_message, range(2000))))
    return path


@pytest.fixture
def ping_line() -> str:
    """One valid line."""
    message = Message.new("test", MessageType.HEALTH_PING, HealthPing("test"))
    return message.with_checksum().marshal().decode() + "\n"
