"""The event loop of `run`, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from mist.lifecycle.conclusion import carry_out
from mist.lifecycle.course import MOMENT
from mist.lifecycle.errors import LifecycleError
from mist.lifecycle.hook import Hook
from mist.lifecycle.report import Straggler
from mist.lifecycle.scope import Scope
from mist.lifecycle.signals import handled
from mist.lifecycle.stack import task_stack, thread_stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from mist.lifecycle.plan import Plan

    T = TypeVar("T")


def run_in_own_loop(
    main: Callable[[], Awaitable[T]],
    plan: Plan,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None,
) -> T | None:
    """Run a program in a new event loop; see `run`."""
    _want_no_loop()
    scope = Scope()
    with handled(plan.signals, scope):
        own = OwnLoop(loop_factory or asyncio.new_event_loop)
        try:
            value, error = own.complete(carry_out(main, plan, scope, own), scope)
        finally:
            own.close()
            _flush()
    if error is not None:
        raise error
    return value


class OwnLoop:
    """An event loop whose end is bounded in time, unlike that of `asyncio.Runner`.

    Args:
        factory: makes the loop.
    """

    def __init__(self, factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._threads: list[threading.Thread] = []
        self._executor = ThreadPoolExecutor(
            thread_name_prefix="asyncio",
            initializer=lambda: self._threads.append(threading.current_thread()),
        )
        self._ending: set[asyncio.Task[Any]] = set()
        self._joining = False
        self._task: asyncio.Task[Any] | None = None
        self._loop = factory()
        asyncio.set_event_loop(self._loop)
        self._loop.set_default_executor(self._executor)

    def complete(self, work: Coroutine[Any, Any, T], scope: Scope) -> T:
        """Run until the work is done, even if something tears down the loop."""
        self._task = task = self._loop.create_task(work)
        while True:
            try:
                return self._loop.run_until_complete(task)
            except (KeyboardInterrupt, SystemExit) as exc:
                # A task that asyncio gives no chance to hold it raised it, or Ctrl-C where no
                # signal is handled; pressed again, it is meant to end everything.
                again = isinstance(exc, KeyboardInterrupt) and scope.failure is not None
                if task.done() or again:
                    raise
                scope.fail(exc)

    async def end_tasks(self, left: Callable[[], float]) -> None:
        """Cancel what is left in the loop, and wait while there are seconds left."""
        loop = self._loop
        # The run itself is two tasks: the one it was started as, and the course.
        mine = {self._task, asyncio.current_task()}
        tasks = {each for each in asyncio.all_tasks() if each not in mine}
        for task in tasks:
            task.cancel()
        self._ending |= tasks
        if tasks:
            await asyncio.wait(tasks, timeout=left())
        for task in tasks:
            failed = task.done() and not task.cancelled()
            if failed and (error := task.exception()) is not None:
                loop.call_exception_handler(
                    {"message": "a task failed in the shutdown", "exception": error, "task": task}
                )
        closing = loop.create_task(loop.shutdown_asyncgens(), name="async generators")
        self._ending.add(closing)
        await asyncio.wait({closing}, timeout=left())

    async def end_threads(self, left: Callable[[], float]) -> None:
        """Wait for the threads of the loop's executor while there are seconds left."""
        if not self._threads:
            return
        self._joining = True
        end = partial(self._executor.shutdown, cancel_futures=True)
        # Waiting for it in one of its own threads would never end.
        ending = Hook(end, contextvars.copy_context()).start()
        await asyncio.wait({ending}, timeout=left())
        ending.cancel()

    def unfinished(self) -> list[Straggler]:
        """What was told to end, and has not."""
        tasks = (each for each in self._ending if not each.done())
        late = [Straggler(each.get_name(), "tasks", task_stack(each)) for each in tasks]
        if self._joining:
            threads = (each for each in self._threads if each.is_alive())
            late += (
                Straggler(f"thread {each.name}", "threads", thread_stack(each.ident))
                for each in threads
            )
        return late

    def close(self) -> None:
        """Close the loop, whatever is left in it."""
        asyncio.set_event_loop(None)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._loop.close()


def _want_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise LifecycleError(
        "run() cannot be called while an event loop is running in this thread;"
        " use `await run_async(main)` there"
    )


def _flush() -> None:
    """Write out what is buffered, for a stuck thread may keep the interpreter from doing so."""

    def flush() -> None:
        for stream in (sys.stdout, sys.stderr):
            # None, broken or closed: the interpreter complains at its exit if it has to.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()

    # Whoever reads them may have stopped reading.
    thread = threading.Thread(target=flush, name="flush", daemon=True)
    thread.start()
    thread.join(MOMENT)
