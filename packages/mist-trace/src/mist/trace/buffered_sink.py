"""A sink that ships spans in batches, and never stands in the program's way."""

from __future__ import annotations

import sys
from contextvars import ContextVar

from mist.trace.errors import InvalidSettingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Runner
    from collections.abc import Awaitable, Callable
    from threading import Thread
    from types import TracebackType
    from typing import Any
    from weakref import WeakSet

    from mist.trace.span import Span


class BufferedSink:
    """Ships ended spans in batches, from a thread of its own: `add_sink(BufferedSink(ship))`.

    What cannot be shipped is dropped and counted, never waited for: spans that find the buffer
    full, batches on which `ship` raises (the first error is reported through the logger
    `mist.trace`), and what is left when the time for closing is over. At the exit of the interpreter,
    or of a multiprocessing worker, the sink is closed. A forked process begins with an empty buffer and ships its own spans.

    Attributes:
        dropped: How many spans were not, and will not be, shipped.
        shipped: How many were.
    """

    def begin_anew(self) -> None:
        """Begin with nothing, as at first and, by itself, in a forked process."""
        self.dropped = 0
        self.shipped = 0
        self._spans: list[Span] = []
        self._accepted = 0
        self._settled = 0  # of the accepted, how many have been shipped or dropped
        self._wanted = 0  # of the accepted, how many are not to wait for more
        self._closed = False
        self._reported = False
        self._thread: Thread | None = None
        self._runner: Runner | None = None
        # Reentrant: the garbage collector may end a generator's span at any time, in any thread.
        self._counting = self._threading.RLock()
        self._progress = self._threading.Condition()
        # Held while there is nothing to do; its release cannot be interrupted, as an Event's can.
        self._idle = self._threading.Lock()
        self._idle.acquire()

    def __init__(
        self,
        ship: Callable[[list[Span]], Awaitable[object] | object],
        *,
        capacity: int = 4096,
        batch: int = 512,
        interval: float = 1.0,
        flush_timeout: float = 2.0,
    ) -> None:
        """Make a sink; its thread starts with the first span.

        Args:
            ship: Takes a batch. It may block; if it is async, it runs in an event loop of the
                sink's thread, always the same one. Spans that end on that thread are not
                shipped in their turn.
            capacity: How many spans may wait.
            batch: How many go at most in one call; that many waiting are shipped at once.
            interval: Seconds after which fewer are shipped.
            flush_timeout: Seconds that `flush` and `close` wait unless told otherwise, and by
                which the interpreter's exit is delayed at most.

        Raises:
            InvalidSettingError: A number is not positive, or counts spans and is not whole.
        """
        import threading  # noqa: PLC0415  # only where spans are shipped
        from atexit import register  # noqa: PLC0415  # likewise

        limits = {
            "capacity": capacity,
            "batch": batch,
            "interval": interval,
            "flush_timeout": flush_timeout,
        }
        for name, value in limits.items():
            if not (isinstance(value, (int, float)) and value > 0):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
                raise InvalidSettingError(f"{name} must be more than 0, not {value!r}")
            if name in ("capacity", "batch") and not isinstance(value, int):
                raise InvalidSettingError(f"{name} counts spans, and cannot be {value!r}")
        self._ship = ship
        self._capacity = capacity
        self._batch = min(batch, capacity)
        self._interval = min(interval, threading.TIMEOUT_MAX)
        self._flush_timeout = flush_timeout
        self._threading = threading
        self.begin_anew()
        register(self.close)
        _at_fork(self)

    def __call__(self, span: Span) -> None:
        """Take an ended span, or drop it where there is no room."""
        if _shipping.get():
            return
        with self._counting:
            waiting = len(self._spans)
            if self._closed or waiting >= self._capacity:
                self.dropped += 1
                return
            if self._thread is None:
                self._start()
            self._spans.append(span)
            self._accepted += 1
        if waiting == 0 or waiting + 1 >= self._batch:
            self._wake()

    def flush(self, timeout: float | None = None) -> bool:
        """Ship now what waits, and wait until that is done: from async code, in a thread.

        Args:
            timeout: Seconds; by default the sink's `flush_timeout`.

        Returns:
            Whether everything taken so far has been shipped, or dropped, in that time.
        """
        if self._thread is self._threading.current_thread():
            return False
        with self._counting:
            wanted = self._wanted = self._accepted
        self._wake()
        return self._wait_until_settled(wanted, timeout)

    def close(self, timeout: float | None = None) -> bool:
        """Flush, and take no more spans; those that are left over are dropped.

        Args:
            timeout: Seconds; by default the sink's `flush_timeout`.

        Returns:
            Whether everything was shipped, or dropped, in that time.
        """
        from atexit import unregister  # noqa: PLC0415  # as its counterpart

        self._closed = True
        done = self.flush(timeout)
        with self._counting:
            self.dropped += len(self._spans)
            self._settled += len(self._spans)
            self._spans.clear()
        unregister(self.close)
        return done

    def __enter__(self) -> BufferedSink:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()

    def _start(self) -> None:
        self._thread = self._threading.Thread(
            target=self._work, name="mist.trace.BufferedSink", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # no threads are left, or the interpreter is about to exit
            self._thread = None
            self.dropped += 1
            raise
        _close_with_worker(self)

    def _wake(self) -> None:
        try:  # noqa: SIM105  # contextlib is not loaded for this
            self._idle.release()
        except RuntimeError:
            pass  # it is awake

    def _wait_until_settled(self, wanted: int, timeout: float | None) -> bool:
        timeout = self._flush_timeout if timeout is None else timeout
        longest = min(timeout, self._threading.TIMEOUT_MAX)
        with self._progress:
            self._progress.wait_for(lambda: self._settled >= wanted, longest)
        return self._settled >= wanted

    def _work(self) -> None:
        _shipping.set(True)
        while True:
            self._idle.acquire()
            if not self._is_due():
                self._idle.acquire(timeout=self._interval)
            while batch := self._take():
                self._settle(len(batch), shipped=self._has_shipped(batch))
            if self._closed and not self._spans:
                break
        if self._runner is not None:
            self._runner.close()

    def _is_due(self) -> bool:
        return self._closed or len(self._spans) >= self._batch or self._settled < self._wanted

    def _take(self) -> list[Span]:
        with self._counting:
            batch = self._spans[: self._batch]
            del self._spans[: self._batch]
        return batch

    def _has_shipped(self, batch: list[Span]) -> bool:
        try:
            self._await(self._ship(batch))
        except BaseException:  # else the thread ends, and nothing is shipped
            if not self._reported:
                self._reported = True
                from logging import getLogger  # noqa: PLC0415  # only where shipping fails

                getLogger("mist.trace").warning(
                    "%r fails, and its spans are dropped; said only once",
                    self._ship,
                    exc_info=True,
                )
            return False
        return True

    def _await(self, shipping: Any) -> None:
        """Wait for what async shipping has returned, and for nothing else."""
        if not hasattr(shipping, "__await__"):
            return

        async def shipped() -> None:
            await shipping

        import asyncio  # noqa: PLC0415  # only where shipping is async

        if self._runner is None:
            self._runner = asyncio.Runner()
        self._runner.run(shipped())

    def _settle(self, count: int, *, shipped: bool) -> None:
        with self._counting:
            if shipped:
                self.shipped += count
            else:
                self.dropped += count
            self._settled += count
        with self._progress:
            self._progress.notify_all()


_shipping: ContextVar[bool] = ContextVar("mist.trace.shipping", default=False)
"""Whether what runs here ships spans; its own would be shipped in turn, for ever."""


def _close_with_worker(sink: BufferedSink) -> None:
    """Close a sink at the end of a multiprocessing worker, which may leave without `atexit`."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        from multiprocessing.util import Finalize  # noqa: PLC0415  # only in such a process

        Finalize(None, sink.close, exitpriority=0)


_living: WeakSet[BufferedSink] | None = None


def _at_fork(sink: BufferedSink) -> None:
    """Let a sink begin anew in forked processes, as long as it lives."""
    global _living  # noqa: PLW0603  # made with the first sink
    if _living is None:
        import os  # noqa: PLC0415  # only where spans are shipped
        from weakref import WeakSet  # noqa: PLC0415  # likewise

        _living = WeakSet()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_begin_anew)
    _living.add(sink)


def _begin_anew() -> None:
    for sink in tuple(_living or ()):
        sink.begin_anew()
