"""What the tests of this package share: golden data, logs that fail, a loop that hurries."""

import asyncio
import contextlib
import errno
import json
import os
import selectors
import subprocess
import sys
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from mist.checkpoint.log_file import LogFile
from mist.checkpoint.tracker import Tracker


@pytest.fixture(autouse=True)
def _blockbuster():
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist"):
        yield


@pytest.fixture(scope="session")
def golden():
    """The directory of what mist-go wrote."""
    places = [Path(os.environ["MIST_GOLDEN"])] if "MIST_GOLDEN" in os.environ else []
    places += [parent / "shared" / "golden" for parent in Path(__file__).resolve().parents]
    for place in places:
        if (place / "checkpoint").is_dir():
            return place
    pytest.skip("golden data is absent: set MIST_GOLDEN to its directory")


@pytest.fixture
def log(tmp_path):
    """Read the records of the run `run` in the test's directory as plain dicts."""

    def read():
        lines = (tmp_path / "run.jsonl").read_bytes().splitlines(keepends=True)
        assert all(line.endswith(b"\n") for line in lines)
        return [json.loads(line) for line in lines]

    return read


@pytest.fixture
def write_log(tmp_path):
    """Write the log of the run `run`: dicts become records, bytes stay as they are."""

    def write(*lines):
        path = tmp_path / "run.jsonl"
        with path.open("wb") as file:
            for line in lines:
                if isinstance(line, dict):
                    whole = {"timestamp": "2026-11-20T17:20:33.985397541Z", **line}
                    file.write(json.dumps(whole, ensure_ascii=False).encode() + b"\n")
                else:
                    file.write(line)
        return path

    return write


class Troubled(LogFile):
    """A log on a disk that can be told to fail, and that remembers what was asked of it."""

    full = False  # a disk with no room: it takes half of what is written
    lost = False  # a disk whose fsync fails
    stuck = False  # a disk that cannot cut either

    def __init__(self, path):
        super().__init__(path)
        self.history = []
        Troubled.last = self

    def append(self, data):
        """Write, or half of it."""
        self.history.append(("append", data))
        if self.full:
            super().append(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(data)

    def sync(self):
        """Wait for the disk, if it lets us."""
        self.history.append(("sync", b""))
        if self.lost:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync()

    def cut(self, size):
        """Drop what follows, if it can be dropped."""
        self.history.append(("cut", size))
        if self.stuck:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().cut(size)


@pytest.fixture
def troubled(tmp_path):
    """Open the run `run` on a disk that can be told to fail: the tracker, and its log's file."""
    with contextlib.ExitStack() as stack:

        def start(run_id="run", **options):
            tracker = Tracker(tmp_path, run_id, open_file=Troubled, **options)
            stack.enter_context(tracker)
            return tracker, Troubled.last

        yield start


@pytest.fixture
def in_memory(tmp_path):
    """Open the run `run` on a disk that is always done at once."""

    class Instant(LogFile):
        def sync(self):
            pass

    return lambda: Tracker(tmp_path, "run", open_file=Instant)


class _HastyLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers fire as soon as nothing else happens for a moment.

    No other time passes by its clock, however slow the machine.
    """

    def __init__(self):
        self.skipped = 0.0
        super().__init__(_Hasty(self))

    def time(self):
        return self.skipped


class _Hasty(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        # A thread writes for the loop, in real time and on a machine that may be busy.
        patience = timeout if timeout is None else min(timeout, 0.1)
        ready = super().select(patience)
        if not ready and timeout:
            self._loop.skipped += timeout
        return ready


@pytest.fixture
def hastily():
    """Run a coroutine function in a loop that does not wait; return the seconds it skipped."""

    def run(work):
        async def timed():
            loop = asyncio.get_running_loop()
            started = loop.time()
            await work()
            return loop.time() - started

        with asyncio.Runner(loop_factory=_HastyLoop) as runner:
            return runner.run(timed())

    return run


@pytest.fixture
def spawn():
    """Start scripts in processes of their own, which are killed when the test ends."""
    with contextlib.ExitStack() as stack:

        def start(script, *arguments, **options):
            process = subprocess.Popen(
                [sys.executable, "-c", script, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                **options,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start
