"""What comes out of a run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import cast

from mist.lifecycle.course import Course
from mist.lifecycle.errors import ShutdownTimeout
from mist.lifecycle.report import Report
from mist.lifecycle.signals import woken_by_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from mist.lifecycle.own_loop import OwnLoop
    from mist.lifecycle.plan import Plan
    from mist.lifecycle.scope import Scope

    T = TypeVar("T")

_log = logging.getLogger("mist.lifecycle")


async def carry_out(
    main: Callable[[], Awaitable[T]], plan: Plan, scope: Scope, own_loop: OwnLoop | None = None
) -> tuple[T | None, BaseException | None]:
    """Run main and what follows it.

    Args:
        main: a coroutine function.
        plan: what the caller asks for.
        scope: what main registers.
        own_loop: the event loop, where it belongs to the run.

    Returns:
        What main returned, and what is to be raised instead, if anything. Not raised here, for
        SystemExit in a task would tear down the loop.
    """
    loop = asyncio.get_running_loop()
    with woken_by_signals(loop) if plan.signals else contextlib.nullcontext():
        course = Course(main, plan, scope, own_loop)
        cancellation = await _complete(course, scope)
    value, errors = _result(course, scope)
    _tell(plan, course, scope, [error for _, error in errors])
    if cancellation is not None:
        errors.insert(0, ("run", cancellation))
    return value, _first(errors) if errors else None


async def _complete(course: Course, scope: Scope) -> asyncio.CancelledError | None:
    """See the course through; the result is the cancellation that came meanwhile, if one did."""
    running = asyncio.get_running_loop().create_task(course.run(), name="mist.lifecycle")
    cancellation: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as exc:
            if scope.begun.is_set() and cancellation is not None:
                running.cancel()
            cancellation = exc
            scope.request("cancelled")
    if not running.cancelled():
        running.result()
    return cancellation


def _result(course: Course, scope: Scope) -> tuple[Any, list[tuple[str, BaseException]]]:
    """What main came to, and all errors in the order in which they count."""
    value, errors = None, list[tuple[str, BaseException]]()
    if course.main.done():
        try:
            value, error = course.main.result()
        except asyncio.CancelledError as exc:
            error = exc
        if error is not None and not (course.told and _only_cancelled(error)):
            errors.append(("main", error))
    if scope.failure is not None and all(error is not scope.failure for _, error in errors):
        errors.append(("a task", scope.failure))
    if course.stragglers:
        errors.append(("shutdown", ShutdownTimeout(tuple(course.stragglers))))
    return value, errors + course.errors


def _only_cancelled(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        members = cast("BaseExceptionGroup[BaseException]", error).exceptions
        return all(_only_cancelled(each) for each in members)
    return isinstance(error, asyncio.CancelledError)


def _first(errors: list[tuple[str, BaseException]]) -> BaseException:
    """The error to raise, with the others in its notes."""
    (_, first), *rest = errors
    shown = isinstance(first, Exception)
    for where, error in rest:
        if shown:
            first.add_note(f"also, in {where}:\n{''.join(traceback.format_exception(error))}")
        else:
            # Nobody prints the notes of a cancellation or of SystemExit.
            _log.error("in the shutdown, in %s", where, exc_info=error)
    return first


def _tell(plan: Plan, course: Course, scope: Scope, errors: list[BaseException]) -> None:
    if plan.on_report is None:
        return
    report = Report(
        reason=scope.reason or "",
        seconds=course.seconds,
        phases=tuple(course.phases),
        hooks=tuple(course.hooks),
        stragglers=tuple(course.stragglers),
        errors=tuple(errors),
    )
    try:
        plan.on_report(report)
    except Exception:  # noqa: BLE001  # told, and nobody's business but the callback's
        _log.exception("on_report failed")
