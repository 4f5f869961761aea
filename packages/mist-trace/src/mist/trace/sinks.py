"""Where ended spans go."""

from __future__ import annotations

import os
from _thread import RLock, get_ident
from time import perf_counter_ns

from mist.trace.errors import WrongFunctionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mist.trace.span import Span

_CO_COROUTINE = 0x80

active: tuple[SinkHandle, ...] = ()
"""The sinks there are; replaced as a whole, so that a delivery never sees half a change."""

_changing = RLock()  # a finalizer or a signal handler may interrupt who holds it
_delivering: dict[int, int] = {}  # threads at it, and since when by the spans' clock


class SinkHandle:
    """A sink that is in use. As a context manager it is removed at the end of the block.

    Attributes:
        errors: How many spans the sink has failed on.
    """

    def __init__(self, sink: Callable[[Span], object]) -> None:
        self._sink = sink
        self.errors = 0

    def remove(self) -> None:
        """Give the sink no more spans; what is removed already stays so."""
        _change(lambda handles: tuple(each for each in handles if each is not self))

    def __enter__(self) -> SinkHandle:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.remove()

    def deliver(self, span: Span) -> None:
        """Call the sink; report its first error, and count all."""
        try:
            self._sink(span)
        except Exception:  # whatever it is, the program goes on
            self.errors += 1
            if self.errors == 1:
                from logging import getLogger  # noqa: PLC0415  # only where a sink fails

                getLogger("mist.trace").warning(
                    "the sink %r fails, and the program goes on without it; said only once",
                    self._sink,
                    exc_info=True,
                )


def add_sink(sink: Callable[[Span], object], /) -> SinkHandle:
    """Give each ended span to a sink.

    The sink runs where the span ends, so it must be quick: see `BufferedSink` for one that
    ships. Its errors reach nobody: the first is reported through the standard library's logger
    `mist.trace`, all are counted. Spans that a sink itself starts, on the same thread, go to
    no sink.

    Args:
        sink: Takes the span; its result is ignored.

    Returns:
        A handle with `remove()`.

    Raises:
        WrongFunctionError: It is a coroutine function, which nobody would await, or no function at all.
    """
    if not callable(sink):
        raise WrongFunctionError(
            f"a sink is called with each ended span; {sink!r} cannot be called"
        )
    code = getattr(sink, "__code__", None)
    if code is not None and code.co_flags & _CO_COROUTINE:
        raise WrongFunctionError(
            f"{sink!r} is async, and nothing awaits a sink: put it in a BufferedSink"
        )
    handle = SinkHandle(sink)
    _change(lambda handles: (*handles, handle))
    return handle


def deliver(span: Span, began: int) -> None:
    """Give an ended span to every sink, unless it began within a sink on this thread."""
    thread = get_ident()
    since = _delivering.get(thread)
    if since is not None:
        # The garbage collector may end a generator's span at any time, so also here.
        if began < since:
            _give(span)
        return
    _delivering[thread] = perf_counter_ns()
    try:
        _give(span)
    finally:
        del _delivering[thread]


def _give(span: Span) -> None:
    for handle in active:
        handle.deliver(span)


def _change(change: Callable[[tuple[SinkHandle, ...]], tuple[SinkHandle, ...]]) -> None:
    global active  # noqa: PLW0603  # read on each span's end, where nothing is as cheap
    with _changing:
        while True:
            before = active
            after = change(before)
            if active is before:  # else who interrupted has made a change, which stays
                active = after
                return


def _forget_threads() -> None:
    """In a forked child: what its parent's other threads were at will never end."""
    global _changing  # noqa: PLW0603  # one of them may hold it
    _changing = RLock()
    for thread in _delivering.keys() - {get_ident()}:
        del _delivering[thread]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
