"""What the tests of this package share."""

import asyncio
import os
import selectors
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from mist.protocol import Message

T = TypeVar("T")


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        # Appending a line to a regular file is a copy into the page cache, done in place.
        detector.functions["os.write"].can_block_in("mist/transport/file.py", "append")
        detector.functions["os.read"].can_block_in("mist/transport/file.py", "_begins_line")
        # Looked at once, where the file is opened, which takes as long.
        for name in ("_is_named_pipe", "_explain"):
            detector.functions["os.stat"].can_block_in("mist/transport/file.py", name)
        # Written in place only where the pipe says that it has room.
        detector.functions["os.write"].can_block_in("mist/transport/writing.py", "_write_now")
        yield detector


@pytest.fixture(scope="session")
def golden() -> Path:
    """Return the directory of what mist-go wrote."""
    named = os.environ.get("MIST_GOLDEN")
    if named:
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        for candidate in (parent / "shared/golden", parent / "golden"):
            if (candidate / "wire.jsonl").is_file():
                return candidate
    pytest.skip("golden data is absent: set MIST_GOLDEN to its directory")


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


@pytest.fixture(scope="session")
def virtually() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Return a function that runs a coroutine in virtual time: sleeping takes none."""

    def run(work: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(asyncio.wait_for(work, 3600.0))

    return run


@pytest.fixture
def messages() -> Callable[[int], list[Message]]:
    """Return a function that makes numbered messages."""

    def make(count: int) -> list[Message]:
        return [Message.new("test", "test.number", {"n": n}) for n in range(count)]

    return make


@pytest.fixture
def samples() -> list[Message]:
    """Return twenty messages with checksums, different in size and content."""
    return [
        Message.new("test", "acme.item", {"n": n, "text": "<é\u2028>" * n}).with_checksum()
        for n in range(20)
    ]
