"""What the tests of this package share."""

import asyncio
import re
import selectors
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        # The breaker's locks are held for a few lines, never during a call.
        for name in ("_admit", "_settle", "_leave_probe", "state", "counts", "reset"):
            detector.functions["threading.Lock.acquire"].can_block_in(
                "mist/circuitbreaker/breaker.py", name
            )
        yield detector


class _Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        """Move it on."""
        self.now += seconds


@pytest.fixture
def clock() -> _Clock:
    """A clock that stands still until it is moved."""
    return _Clock()


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


@pytest.fixture
def readme_example() -> str:
    """The python block of the README."""
    readme = Path(__file__).parents[1] / "README.md"
    if not readme.is_file():
        pytest.skip("the README is not beside the tests")
    (block,) = re.findall(r"```python\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)
    return block
