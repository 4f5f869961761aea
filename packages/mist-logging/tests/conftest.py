"""What the tests of this package share: golden data, a clock, lines as they come out."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

import mist.logging

NOON = 1_795_176_034_292_676_996  # 2026-11-20T12:00:34.292676996Z


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        # A line to a file or a pipe is written in place, as all loggers do.
        detector.functions["os.write"].can_block_in("mist/logging/sink.py", "write")
        yield detector


@pytest.fixture(scope="session")
def golden() -> Path:
    """The directory of what mist-go wrote."""
    if "MIST_GOLDEN" in os.environ:
        return Path(os.environ["MIST_GOLDEN"])
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "golden").is_dir():
            return parent / "shared" / "golden"
    pytest.skip("golden data is not there: set MIST_GOLDEN to its directory")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Set the local time zone for a test."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    if not hasattr(time, "tzset"):
        pytest.skip("this system has no tzset")
    yield set_zone
    monkeypatch.undo()
    time.tzset()


def fail(exception: BaseException, cause: BaseException | None = None) -> None:
    """Raise an exception."""
    raise exception from cause


class Log:
    """A logger, and the lines that it wrote."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.writer = io.StringIO()
        options.setdefault("clock", lambda: NOON)
        self.logger = mist.logging.new(*(args or ("tool",)), writer=self.writer, **options)

    @property
    def text(self) -> str:
        """All that was written."""
        return self.writer.getvalue()

    @property
    def records(self) -> list[dict[str, Any]]:
        """All lines as JSON; a name that stands twice fails the test."""
        return [strictly(line) for line in self.text.split("\n")[:-1]]

    @property
    def record(self) -> dict[str, Any]:
        """The only line."""
        (record,) = self.records
        return record

    @property
    def fields(self) -> dict[str, Any]:
        """What the only line holds beside time, level, msg and tool."""
        return dict(list(self.record.items())[4:])


def strictly(line: str) -> dict[str, Any]:
    """Parse a line; what is not JSON, or stands twice, fails the test."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), f"a name stands twice: {line}"
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(line, object_pairs_hook=once, parse_constant=refuse)


@pytest.fixture
def log() -> Log:
    """A logger at INFO that writes JSON, and its lines."""
    return Log("tool")


@pytest.fixture(name="fail", scope="session")
def fail_fixture() -> Callable[..., None]:
    """Raise an exception, from a cause if there is one."""
    return fail


@pytest.fixture(scope="session")
def raised() -> Callable[..., BaseException]:
    """Return an exception as it is after it was raised, from a cause if there is one."""

    def catch(exception: BaseException, cause: BaseException | None = None) -> BaseException:
        try:
            fail(exception, cause)
        except type(exception) as exc:
            return exc
        raise AssertionError("unreachable")

    return catch


@pytest.fixture(scope="session")
def make_log() -> Callable[..., Log]:
    """Make loggers with options of `new`."""
    return Log


@pytest.fixture
def run() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run a script in a process of its own."""

    def run_script(script: str, *args: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.run(
            [sys.executable, "-c", script, *args],
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            **options,
        )

    return run_script
