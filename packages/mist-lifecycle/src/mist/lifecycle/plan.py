"""What the caller of a run asks for."""

from __future__ import annotations

import math

from mist.lifecycle.errors import LifecycleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any, Protocol

    from mist.lifecycle.report import Report

    class Readiness(Protocol):
        """What can say that a service wants no more traffic, such as mist.health's Handler."""

        def set_ready(self, ready: bool, /) -> object:  # noqa: FBT001  # the contract's form
            """Say whether the service wants traffic."""
            ...


class Plan:
    """What the caller of a run asks for; see `run`."""

    def __init__(
        self,
        main: object,
        *,
        drain_timeout: float,
        shutdown_timeout: float,
        readiness: Readiness | Iterable[Readiness],
        signals: bool | Collection[int],
        on_report: Callable[[Report], object] | None,
    ) -> None:
        _want_function(main)
        self.drain_timeout = _seconds("drain_timeout", drain_timeout)
        self.shutdown_timeout = _seconds("shutdown_timeout", shutdown_timeout)
        self.readiness = _readiness(readiness)
        self.signals = _signals(signals)
        if on_report is not None and not callable(on_report):
            raise LifecycleError(f"on_report must be a function of the report, not {on_report!r}")
        self.on_report = on_report


def _want_function(main: object) -> None:
    if callable(main):
        return
    close = getattr(main, "close", None)
    if close is not None:
        close()  # a coroutine that nobody awaits would complain
    raise LifecycleError(
        f"main must be a coroutine function without arguments, not {main!r};"
        " pass the function, not what it returns"
    )


def _seconds(name: str, value: float) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
    if not number or not math.isfinite(value) or value < 0:
        raise LifecycleError(f"{name} must be a number of seconds, 0 or more, not {value!r}")
    return value


def _signals(given: Any) -> bool | tuple[int, ...]:
    if isinstance(given, bool):
        return given
    members: tuple[Any, ...] = tuple(given) if hasattr(given, "__iter__") else (None,)
    if not all(isinstance(each, int) for each in members):
        raise LifecycleError(
            f"signals must be True, False or several numbers, such as [signal.SIGTERM], not {given!r}"
        )
    return members


def _readiness(given: Any) -> tuple[Readiness, ...]:
    one = hasattr(given, "set_ready") or not hasattr(given, "__iter__")
    members: tuple[Readiness, ...] = (given,) if one else tuple(given)
    for each in members:
        if not callable(getattr(each, "set_ready", None)):
            raise LifecycleError(f"readiness: {each!r} has no method set_ready(bool)")
    return members
