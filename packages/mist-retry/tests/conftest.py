"""What the tests of this package share."""

import asyncio
import json
import os
import selectors
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from mist.retry import do_with_classifier, do_with_classifier_sync, without_waiting

T = TypeVar("T")


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail a test that blocks its event loop."""
    with blockbuster_ctx("mist") as detector:
        yield detector


@pytest.fixture(scope="session")
def golden_policies() -> list[dict[str, float]]:
    """What mist-go says about some policies, one record a line."""
    lines = (_golden() / "retry.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _golden() -> Path:
    if named := os.environ.get("MIST_GOLDEN"):
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "golden").is_dir():
            return parent / "shared" / "golden"
    pytest.skip("no shared/golden above the tests, and MIST_GOLDEN is not set")


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
            return runner.run(work)

    return run


@pytest.fixture(params=["async", "sync"])
def persist(request: pytest.FixtureRequest, virtually: Any) -> Callable[..., Any]:
    """Return a function that retries a plain function, by the one form or the other.

    It waits nowhere: the async form runs in virtual time, the sync form without waiting.
    """

    def by_async(policy: Any, fn: Any, *, classifier: Any = Exception, **options: Any) -> Any:
        async def attempt() -> Any:
            return fn()

        return virtually(do_with_classifier(policy, classifier, attempt, **options))

    def by_sync(policy: Any, fn: Any, *, classifier: Any = Exception, **options: Any) -> Any:
        with without_waiting():
            return do_with_classifier_sync(policy, classifier, fn, **options)

    return by_async if request.param == "async" else by_sync


class Flaky:
    """Fails with the given errors, one a call, and then returns `"done"`."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        """Fail, or be done."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def awaited(self) -> str:
        """Do the same as a coroutine, with a pause in it."""
        await asyncio.sleep(0)
        return self()


@pytest.fixture(scope="session")
def flaky() -> type[Flaky]:
    """Return the class of what fails some times before it succeeds."""
    return Flaky


@pytest.fixture(scope="session")
def note() -> Callable[[BaseException], str]:
    """Return a function that gives the one note of an error."""

    def only(error: BaseException) -> str:
        (text,) = error.__notes__
        return text

    return only
