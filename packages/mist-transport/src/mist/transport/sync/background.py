"""The event loop that all blocking transports of a process share, on a thread of its own."""

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar

from mist.transport.errors import TransportClosed, TransportError
from mist.transport.interface import Transport
from mist.transport.sync.daemons import DaemonExecutor
from mist.transport.sync.latch import Latch

T = TypeVar("T")

# How long the end of the process waits for transports to close, in seconds.
_EXIT_TIMEOUT = 5.0
# How long an interrupted call is given to come to its end, in seconds.
_INTERRUPT_TIMEOUT = 5.0


class Background:
    """An event loop on a daemon thread, and the transports that live on it."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(DaemonExecutor())
        self._open: set[Transport] = set()
        self._exiting = False
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="mist-transport", daemon=True
        )
        self._thread.start()

    @property
    def is_ours(self) -> bool:
        """Whether this process started it: a forked child has only its dead image."""
        return self._process == os.getpid()

    def run(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        context: Context,
        unclaimed: Callable[[T], object] | None = None,
    ) -> T:
        """Run a coroutine on the loop, and block until it is done.

        Args:
            work: Makes what is run; that is cancelled when the caller is interrupted.
            context: The context it runs in.
            unclaimed: Takes, on the loop, the result of work that was done when the caller was
                interrupted.
        """
        if self._exiting:
            raise TransportClosed("the transport is closed: the process is ending")
        ended, given_up = Latch(), Latch()
        task: asyncio.Task[T] | None = None

        def start() -> None:
            nonlocal task
            task = self._loop.create_task(work(), context=context)
            task.add_done_callback(end)

        def end(task: asyncio.Task[T]) -> None:
            if not task.cancelled():
                task.exception()  # looked at: where nobody is told, nothing is printed either
            if not self._exiting:
                ended.open()

        async def give_up() -> None:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
                if unclaimed is not None and _succeeded(task):
                    unclaimed(task.result())
            given_up.open()

        try:
            self._loop.call_soon_threadsafe(start)
            ended.wait()
        except BaseException:
            # Left to the loop, where no second Ctrl-C comes between the result and who gets it.
            asyncio.run_coroutine_threadsafe(give_up(), self._loop)
            given_up.wait(_INTERRUPT_TIMEOUT)
            raise
        if task is None or task.cancelled():
            raise TransportError("the call was cancelled", code="cancelled")
        try:
            return task.result()
        finally:
            task = None  # an error would keep this frame, and with it the task that has the error

    def adopt(self, transport: Transport) -> None:
        """Close a transport when the process ends, unless that was done before."""
        self._open.add(transport)

    async def close(self, transport: Transport) -> None:
        """Close a transport, and forget it."""
        await transport.close()
        self._open.discard(transport)

    def abandon(self, transport: Transport) -> None:
        """Have a transport closed that nobody can reach any more, without waiting for it."""
        if self.is_ours and not self._exiting:
            with suppress(RuntimeError):  # the loop may end at this very moment
                asyncio.run_coroutine_threadsafe(self.close(transport), self._loop)

    def stop(self) -> None:
        """Close every transport and end the loop, in bounded time."""
        # From here on, whoever waits on a daemon thread is left waiting: woken at the end of
        # the process, it could do no more than print a traceback.
        self._exiting = True
        stopped = asyncio.run_coroutine_threadsafe(self._close_all(), self._loop)
        with suppress(TimeoutError):
            stopped.result(_EXIT_TIMEOUT + 1.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._loop.close()

    async def _close_all(self) -> None:
        if self._open:
            closing = [asyncio.ensure_future(self.close(transport)) for transport in self._open]
            await asyncio.wait(closing, timeout=_EXIT_TIMEOUT)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


def _succeeded(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


_lock = threading.Lock()
_present: Background | None = None


def background() -> Background:
    """Return this process's background loop, started at the first call."""
    global _present  # noqa: PLW0603  # one for the process is the point
    with _lock:
        if _present is None:
            _present = Background()
            atexit.register(_present.stop)
        return _present


def _forget_in_child() -> None:
    """Leave a forked child without a loop: it inherits neither the thread nor a usable lock."""
    global _lock, _present  # noqa: PLW0603  # as above
    _lock = threading.Lock()
    if _present is not None:
        atexit.unregister(_present.stop)
        _present = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
