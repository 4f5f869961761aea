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


@pytest.fixture(scope="session")
def virtually():
    """Return a function that runs a coroutine in virtual time: sleeping takes none."""

    def run(work):
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(asyncio.wait_for(work, 3600.0))

    return run


@pytest.fixture
def readme_examples() -> list[str]:
    """The python blocks of the README."""
    readme = Path(__file__).parents[1] / "README.md"
    if not readme.is_file():
        pytest.skip("the README is not beside the tests")
    return re.findall(r"^```python\n(.*?)^```", readme.read_text("utf-8"), re.DOTALL | re.MULTILINE)
