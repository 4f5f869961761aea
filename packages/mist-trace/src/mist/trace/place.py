"""A generator's own place in the tree of spans, apart from its consumer's."""

from __future__ import annotations

from mist.trace import interop
from mist.trace.span import innermost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from mist.trace.span import Span

    Position = tuple[Span | None, object]


class Place:
    """Runs the steps of a generator inside a span, and everything between them outside.

    What is current inside at the end of a step is so again at the beginning of the next, in
    whichever context that runs.
    """

    def __init__(self, span: Span) -> None:
        self._span = span
        self._inside: Position | None = None

    def step(self, advance: Callable[[Any], Any], argument: Any) -> Any:
        """Advance the generator; the span ends with it."""
        outside = self._enter()
        try:
            return advance(argument)
        except BaseException as exc:
            self._end(None if isinstance(exc, StopIteration) else exc)
            raise
        finally:
            self._inside = _move(outside)

    async def step_async(self, advance: Callable[[Any], Awaitable[Any]], argument: Any) -> Any:
        """Advance the async generator; the span ends with it."""
        outside = self._enter()
        try:
            return await advance(argument)
        except BaseException as exc:
            self._end(None if isinstance(exc, StopAsyncIteration) else exc)
            raise
        finally:
            self._inside = _move(outside)

    def _enter(self) -> Position:
        outside = _move(self._inside)
        self._span.__enter__()  # what is entered in one call is left in another
        return outside

    def _end(self, exc: BaseException | None) -> None:
        self._span.__exit__(None if exc is None else type(exc), exc, None)


def _move(to: Position | None) -> Position:
    """Go to another position, None being the present one, and return the one that was left."""
    span, other = to or (innermost.get(), None)
    here = (innermost.get(), None if interop.active is None else interop.active.swap(other))
    innermost.set(span)
    return here
