"""The two ways into a run."""

from __future__ import annotations

from mist.lifecycle.plan import Plan
from mist.lifecycle.scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Collection, Iterable
    from typing import TypeVar

    from mist.lifecycle.plan import Readiness
    from mist.lifecycle.report import Report

    T = TypeVar("T")


def run(
    main: Callable[[], Awaitable[T]],
    *,
    drain_timeout: float = 15.0,
    shutdown_timeout: float = 10.0,
    readiness: Readiness | Iterable[Readiness] = (),
    signals: bool | Collection[int] = True,
    on_report: Callable[[Report], object] | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T | None:
    """Run a program in an event loop of its own until it ends or is told to end, and end it well.

    The shutdown begins when main returns or raises, at the first signal, or on request. Readiness
    fails, work in flight gets `drain_timeout` to finish, then main is cancelled if it still runs,
    and the hooks run, each with its share of `shutdown_timeout`. After that come the hooks marked
    `last`, and whatever else is left in the loop and its threads is ended. All of it is over
    `drain_timeout + shutdown_timeout` seconds after its beginning, give or take a moment. A second
    signal ends the process at once, with the exit status 128 + its number.

    Args:
        main: a coroutine function without arguments.
        drain_timeout: seconds for work in flight, and for a main that listens to
            `shutting_down()`.
        shutdown_timeout: seconds for all hooks together.
        readiness: one object with a method `set_ready(bool)`, or several; called with False as
            soon as the shutdown begins.
        signals: True for SIGINT, SIGTERM and, on Windows, SIGBREAK; or the numbers of those to
            handle; False for none. None is handled outside of the main thread, and none that the
            process was started to ignore.
        on_report: called with the report at the very end, whatever is raised then; if it raises
            itself, that is logged.
        loop_factory: makes the event loop, such as `uvloop.new_event_loop`.

    Returns:
        What main returns; None if the shutdown had to cancel it.

    Raises:
        LifecycleError: an event loop is running in this thread already, or an argument is not
            what it should be.
        ShutdownTimeout: something was not over in time.
        BaseException: what main raised, else what a hook raised. The first error is raised, the
            others are told in its notes.
    """
    plan = Plan(
        main,
        drain_timeout=drain_timeout,
        shutdown_timeout=shutdown_timeout,
        readiness=readiness,
        signals=signals,
        on_report=on_report,
    )
    from mist.lifecycle.own_loop import run_in_own_loop  # noqa: PLC0415  # imports asyncio

    return run_in_own_loop(main, plan, loop_factory)


async def run_async(
    main: Callable[[], Awaitable[T]],
    *,
    drain_timeout: float = 15.0,
    shutdown_timeout: float = 10.0,
    readiness: Readiness | Iterable[Readiness] = (),
    signals: bool | Collection[int] = True,
    on_report: Callable[[Report], object] | None = None,
) -> T | None:
    """Do what `run` does inside an event loop that is running, and leave that loop alone.

    What was registered in the run is ended with it; the loop's other tasks and its threads are
    not. Cancelling this call begins the shutdown, at the end of which the cancellation goes on;
    cancelling it once more cancels what is going on and skips the hooks that have not begun.

    Args:
        main: a coroutine function without arguments.
        drain_timeout: seconds for work in flight; see `run`.
        shutdown_timeout: seconds for hooks and the rest; see `run`.
        readiness: see `run`.
        signals: see `run`; handlers are put back afterwards as they were.
        on_report: see `run`.

    Returns:
        What main returns; None if the shutdown had to cancel it.

    Raises:
        LifecycleError: an argument is not what it should be.
        ShutdownTimeout: something was not over in time.
        BaseException: see `run`.
    """
    plan = Plan(
        main,
        drain_timeout=drain_timeout,
        shutdown_timeout=shutdown_timeout,
        readiness=readiness,
        signals=signals,
        on_report=on_report,
    )
    from mist.lifecycle.conclusion import carry_out  # noqa: PLC0415  # imports asyncio
    from mist.lifecycle.signals import handled  # noqa: PLC0415  # imports asyncio

    scope = Scope()
    with handled(plan.signals, scope):
        value, error = await carry_out(main, plan, scope)
    if error is not None:
        raise error
    return value
