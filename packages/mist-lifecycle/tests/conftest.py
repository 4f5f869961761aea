"""What the tests of this package share."""

import asyncio
import os
import re
import selectors
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        yield detector


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer whenever nothing is ready."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now


class _Jumping(selectors.DefaultSelector):
    """Waits for no timer; without one, nothing would ever happen again, and the test fails."""

    def __init__(self, loop: _VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("deadlock: every task waits, and no timer is set")
        if not ready and timeout:
            self._loop.now += timeout
        return ready


@pytest.fixture
def virtually():
    """Return a function that runs a coroutine in virtual time: sleeping takes none."""

    def run(work):
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(asyncio.wait_for(work, 3600.0))

    return run


class Program:
    """A Python program in a process of its own, killed if it takes half a minute."""

    def __init__(self, path: Path, *, module: bool, **popen: Any) -> None:
        # No terminal and no shell: neither decides here which signals are ignored.
        self.process = subprocess.Popen(
            [sys.executable, *(["-m", path.stem] if module else [path])],
            cwd=path.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            **popen,
        )
        self._limit = threading.Timer(30, self.process.kill)
        self._limit.start()

    def line(self) -> str:
        """The next line the program prints."""
        return self.process.stdout.readline().rstrip("\n")

    def send(self, signum: int) -> None:
        """Send a signal."""
        self.process.send_signal(signum)

    def end(self) -> tuple[int, list[str], str]:
        """Wait for the end: exit status, the other lines printed, stderr."""
        out, err = self.process.communicate()
        self._limit.cancel()
        return self.process.returncode, out.splitlines(), err


@pytest.fixture
def program(tmp_path):
    """Return a function that starts a program, given as text, as a file or as a module.

    What most programs need is imported already.
    """
    started = []
    prelude = "import asyncio, os, signal, sys, threading, time\nfrom mist.lifecycle import *\n"

    def start(text: str, *, module: bool = False, **popen: Any) -> Program:
        path = tmp_path / f"program{len(started)}.py"
        path.write_text(prelude + textwrap.dedent(text), "utf-8")
        started.append(Program(path, module=module, **popen))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.end()


@pytest.fixture(scope="session")
def readme_examples() -> list[str]:
    """The python blocks of the README of the checkout, or of the installed package."""
    readme = Path(__file__).parents[1] / "README.md"
    if readme.is_file():
        text = readme.read_text("utf-8")
    else:
        text = metadata("mist-lifecycle").json["description"]
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
