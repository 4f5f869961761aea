"""The progress displays now on terminals, which step aside while data is written."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager

# One function for each display; it keeps the display off its terminal within its context.
shown: list[Callable[[], AbstractContextManager[None]]] = []


@contextmanager
def set_aside() -> Generator[None]:
    """Keep every live display off its terminal while the context is entered."""
    with ExitStack() as stack:
        for suspended in tuple(shown):
            stack.enter_context(suspended())
        yield
