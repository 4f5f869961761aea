"""A plugin of pytest's: fails a test for the tasks that it leaves behind, and what asyncio logs."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

_GRACE = 1.0  # seconds for tasks that are about to end


class Complaints(logging.Handler):
    """Collects what asyncio complains of: tasks destroyed, exceptions that nobody has seen."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a complaint."""
        self.texts.append(record.getMessage())


@pytest_asyncio.fixture
async def no_task_is_left() -> AsyncIterator[None]:
    """Fail for tasks of the test's event loop that are there when all else has been torn down."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=_GRACE)
    if left:
        pytest.fail(f"left behind: {', '.join(map(repr, left))}")


@pytest.fixture(autouse=True)
def asyncio_is_content(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail for what asyncio complains of."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("no_task_is_left")
    complaints, logger = Complaints(), logging.getLogger("asyncio")
    logger.addHandler(complaints)
    yield
    logger.removeHandler(complaints)
    if complaints.texts:
        pytest.fail(f"asyncio: {'; '.join(complaints.texts)}")
