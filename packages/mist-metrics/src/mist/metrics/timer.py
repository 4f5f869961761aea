"""How long a block or a function takes."""

from __future__ import annotations

from contextvars import ContextVar

from mist.metrics.errors import WrongFunctionError

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


class _Block:
    """One timed block that is running, and the one around it."""

    __slots__ = ("outer", "started")

    outer: _Block | None
    started: float


# Threads and tasks each have their own context, so that each finds its own block.
_innermost: ContextVar[_Block | None] = ContextVar("_innermost", default=None)


class Timer:
    """Observes how many milliseconds a block or a call takes, also one that raises.

    One timer may be used as often as one likes, by several threads and tasks at once.
    """

    __slots__ = ("_blocks", "_clock", "_observe")

    def __init__(self, observe: Callable[[float], object], clock: Callable[[], float]) -> None:
        self._observe = observe
        self._clock = clock
        self._blocks: list[_Block] = []

    def __enter__(self) -> None:
        block = _Block()
        block.started = self._clock()
        block.outer = _innermost.get()
        self._blocks.append(block)
        _innermost.set(block)

    def __exit__(self, *exc_info: object) -> None:
        ended = self._clock()
        block = _innermost.get()
        if block in self._blocks:
            _innermost.set(block.outer)
        else:  # a generator that is closed by another task: the context is not that of the start
            block = self._blocks[-1]
        self._blocks.remove(block)
        block.outer = None  # a context that still points here keeps nothing else alive
        self._observe((ended - block.started) * 1000)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return the function, with every call of it timed; a coroutine until it returns.

        Raises:
            WrongFunctionError: it is a generator function, whose call does none of its work.
        """
        from functools import wraps  # noqa: PLC0415  # loads when it is used
        from inspect import (  # noqa: PLC0415  # loads when it is used
            isasyncgenfunction,
            iscoroutinefunction,
            isgeneratorfunction,
        )

        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise WrongFunctionError(
                f"calling the generator function {function.__qualname__} takes no time: "
                "use `with histogram.time():` inside it"
            )
        observe, clock = self._observe, self._clock
        if iscoroutinefunction(function):

            @wraps(function)
            async def timed_coroutine(*args: P.args, **kwargs: P.kwargs) -> object:
                started = clock()
                try:
                    return await function(*args, **kwargs)
                finally:
                    observe((clock() - started) * 1000)

            return timed_coroutine  # type: ignore[return-value]  # a coroutine function for one

        @wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            started = clock()
            try:
                return function(*args, **kwargs)
            finally:
                observe((clock() - started) * 1000)

        return timed
