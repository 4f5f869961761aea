"""What the tests of this package share."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from mist.trace import Span, add_sink, current, sinks


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        yield detector


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Fail a test that leaves a current span or a sink behind."""
    yield
    assert current() is None
    assert sinks.active == ()


@pytest.fixture
def spans() -> Iterator[list[Span]]:
    """Collect the spans that end in a test, in that order."""
    ended: list[Span] = []
    with add_sink(ended.append):
        yield ended


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in an interpreter of its own; it must end in the time given, in seconds."""

    def run(script: str, *, timeout: float = 30, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
            env=os.environ | env,
        )

    return run


@pytest.fixture(scope="session")
def golden() -> list[dict]:
    """What mist-go itself said about trace context, one record a line."""
    places = [Path(os.environ["MIST_GOLDEN"])] if "MIST_GOLDEN" in os.environ else []
    places += [parent / "shared" / "golden" for parent in Path(__file__).resolve().parents]
    for place in places:
        if (place / "trace.jsonl").is_file():
            lines = (place / "trace.jsonl").read_text(encoding="utf-8").splitlines()
            return [json.loads(line) for line in lines]
    pytest.skip("golden data is not there: set MIST_GOLDEN to its directory")
