"""Threads that no process has to wait for, for blocking calls that may never return."""

import asyncio
import errno
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


def start_daemon(work: Callable[[], object], name: str) -> None:
    """Start a thread that does not keep the process alive.

    Raises:
        OSError: EAGAIN: the system lets this process have no more threads, or no memory for one.
    """
    try:
        threading.Thread(target=work, name=name, daemon=True).start()
    except RuntimeError as exc:
        raise OSError(errno.EAGAIN, str(exc)) from exc


async def on_daemon_thread(name: str, call: Callable[[], T]) -> T:
    """Return or raise what a call does; who is cancelled meanwhile leaves it to itself.

    An executor's thread would keep the loop, and the process, until the call returns.

    Args:
        name: The thread's.
        call: What may block.

    Raises:
        OSError: EAGAIN: there is no thread to be had.
    """
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[T] = loop.create_future()

    def settle(how: Callable[[Any], None], outcome: object) -> None:
        if not finished.done():
            how(outcome)

    def run() -> None:
        try:
            settled = partial(settle, finished.set_result, call())
        except Exception as exc:  # noqa: BLE001  # the caller's, whatever it is
            settled = partial(settle, finished.set_exception, exc)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settled)

    start_daemon(run, name)
    return await finished
