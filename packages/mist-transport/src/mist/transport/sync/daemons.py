"""Blocking calls of an event loop, on threads that no process has to wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonExecutor(ThreadPoolExecutor):
    """Does the work of `asyncio.to_thread` on daemon threads.

    The standard library's executor takes no more calls once the process begins to end, when
    transports are still to be closed; and it keeps the process until the last call is done,
    which a read from a silent device never is.
    """

    def __init__(self, most: int = 16) -> None:
        """Start with one thread, which is there also when no more can be started.

        Args:
            most: How many threads there are at most.
        """
        super().__init__(max_workers=1)  # it never starts this one: `submit` is ours
        self._most = most
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._start_one()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a thread call a function."""
        future: Future[T] = Future()
        self._calls.put((future, partial(fn, *args, **kwargs)))
        if not self._idle.acquire(blocking=False) and self._started < self._most:
            with suppress(RuntimeError):  # a process that ends starts no thread
                self._start_one()
        return future

    def _start_one(self) -> None:
        threading.Thread(target=self._work, name="mist-transport-call", daemon=True).start()
        self._started += 1

    def _work(self) -> None:
        while True:
            future, call = self._calls.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as exc:  # noqa: BLE001  # the caller's, whatever it is
                    future.set_exception(exc)
            del future, call
            self._idle.release()
