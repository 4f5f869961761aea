"""Fields that belong to whatever runs in a `with` block, in this task or thread."""

import contextlib
import contextvars
from collections.abc import Generator, Mapping
from types import MappingProxyType

_NONE: Mapping[str, object] = MappingProxyType({})

contextual: contextvars.ContextVar[Mapping[str, object]] = contextvars.ContextVar(
    "mist.logging.contextual", default=_NONE
)


@contextlib.contextmanager
def bound(**fields: object) -> Generator[None]:
    """Give every line that is logged inside the `with` block these fields, whoever logs it.

    Blocks nest; an inner value replaces an outer one. Tasks, `asyncio.to_thread` and whatever
    else copies the context inherit the fields, and changes never reach the code around the block.
    """
    token = contextual.set({**contextual.get(), **fields})
    try:
        yield
    finally:
        # A generator that is closed elsewhere leaves the block in a context that it never changed.
        with contextlib.suppress(ValueError):
            contextual.reset(token)
