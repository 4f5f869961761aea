"""What belongs to one run, and how the code inside of it gets there."""

from __future__ import annotations

import contextvars

from mist.lifecycle.drain import DrainGroup, InFlight
from mist.lifecycle.errors import LifecycleError
from mist.lifecycle.event import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from typing import Any, TypeVar

    from mist.lifecycle.hook import Hook
    from mist.lifecycle.report import Straggler

    F = TypeVar("F", bound=Callable[[], Any])


class Scope:
    """What belongs to one run.

    Attributes:
        hooks: the hooks that have not run, the next one last.
        last_hooks: those to run after all of `hooks`.
        in_flight: the work a shutdown waits for.
        heard: whether anybody has asked to be told of the shutdown.
        reason: why the shutdown is to begin; None while it is not.
        failure: what tore down the event loop, if something has.
        over: whether nothing more can be registered.
        begun: set when the shutdown begins.
        changed: set when a shutdown has to look again at what it waits for.
        unfinished: tells what is going on.
    """

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415  # importing this package leaves asyncio alone

        self.hooks: list[Hook] = []
        self.last_hooks: list[Hook] = []
        self.in_flight = InFlight(self.poke)
        self.heard = False
        self.reason: str | None = None
        self.failure: BaseException | None = None
        self.over = False
        self.begun = asyncio.Event()
        self.changed = asyncio.Event()
        self.unfinished: Callable[[], list[Straggler]] = list
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> contextvars.Context:
        """Say which event loop runs it; the result is the context in which it is found."""
        self._loop = loop
        context = contextvars.copy_context()
        context.run(_current.set, self)
        return context

    def request(self, reason: str) -> None:
        """Ask for the shutdown, from any thread or a signal handler; the first reason counts."""
        if self.reason is None:
            self.reason = reason
            self.poke()

    def fail(self, failure: BaseException) -> None:
        """Ask for the shutdown because something has torn down the event loop."""
        self.failure = self.failure or failure
        self.request(type(failure).__name__)

    def poke(self) -> None:
        """Let a shutdown that is under way look again."""
        if self.reason is None or self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self.changed.set)
        except RuntimeError:
            return  # the loop is closed: nobody looks any more

    def close(self) -> None:
        """Let nothing more be registered."""
        self.over = self.in_flight.over = True


_current: contextvars.ContextVar[Scope] = contextvars.ContextVar("mist.lifecycle")


def _scope(caller: str) -> Scope:
    scope = _current.get(None)
    if scope is None:
        raise LifecycleError(
            f"{caller}() was called outside of a run; call it in the coroutine given to"
            " mist.lifecycle.run(), or in what that calls or spawns"
        )
    if scope.over:
        raise LifecycleError(f"{caller}() was called after its run was over")
    if scope.in_flight.is_inherited:
        raise LifecycleError(
            f"{caller}() was called in a process forked from its run, of which the run is not;"
            " start a run of its own"
        )
    return scope


def on_shutdown(fn: F, *, last: bool = False) -> F:
    """Register a function to run at the end; the last one registered runs first.

    A coroutine function runs in the event loop, anything else in a thread of its own. Each hook
    has its share of `shutdown_timeout`: the time that is left, divided by the hooks that are left.
    One that has used nine tenths of it is cancelled and has the last one to end; a thread is left
    behind. Then the next one begins. A hook that is registered during the shutdown still runs.
    Hooks see the context variables as they were when they were registered.

    Args:
        fn: called without arguments. What it raises keeps no other hook from running.
        last: whether to run after all hooks that are not marked so. For what the others still
            use: the sinks of logs, traces and metrics.

    Returns:
        The function, so that this is a decorator as well.

    Raises:
        LifecycleError: outside of a run, or `fn` cannot be called, or is a generator function.
    """
    import inspect  # noqa: PLC0415  # loaded already where there is a run

    from mist.lifecycle.hook import Hook  # noqa: PLC0415  # imports asyncio

    scope = _scope("on_shutdown")
    if not callable(fn):
        close = getattr(fn, "close", None)
        if close is not None:
            close()  # a coroutine that nobody awaits would complain
        raise LifecycleError(
            f"on_shutdown: {fn!r} cannot be called; pass the function, not what it returns"
        )
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise LifecycleError(
            f"on_shutdown: {fn!r} has a yield, so that a call of it runs nothing; pass a function"
            " without"
        )
    (scope.last_hooks if last else scope.hooks).append(Hook(fn, contextvars.copy_context()))
    return fn


def drain_group(name: str = "drain group") -> DrainGroup:
    """Return a new group for work in flight, which the shutdown lets finish first.

    Args:
        name: for people.

    Raises:
        LifecycleError: outside of a run.
    """
    return DrainGroup(name, _scope("drain_group").in_flight)


def shutting_down() -> Event:
    """Return the event that is set when the shutdown begins, for a main that ends by itself.

    As soon as anybody in the run has asked for it, the shutdown leaves main the whole of
    `drain_timeout` to return. A main of which nobody has asked is cancelled as soon as no work
    is in flight.

    Raises:
        LifecycleError: outside of a run.
    """
    scope = _scope("shutting_down")
    scope.heard = True
    return Event(scope.begun)


def request_shutdown() -> None:
    """Begin the shutdown, as a first signal would; does nothing if it has begun.

    For embedded runs and for programs that are told to stop by other means. Works in every thread
    that has the run's context, such as those of `asyncio.to_thread`.

    Raises:
        LifecycleError: outside of a run.
    """
    _scope("request_shutdown").request("requested")
