"""The progress displays now on terminals, which step aside while data is written."""

from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol


class LiveDisplay(Protocol):
    """Something drawn on the last lines of a terminal."""

    def suspended(self) -> AbstractContextManager[None]:
        """Keep the display off the terminal while the context is entered."""
        ...


shown: list[LiveDisplay] = []


@contextmanager
def set_aside() -> Generator[None]:
    """Keep every live display off its terminal while the context is entered."""
    with ExitStack() as stack:
        for display in tuple(shown):
            stack.enter_context(display.suspended())
        yield
