"""Functions, coroutines and generators as spans."""
# ruff: noqa: D103, F811  # overloads, which ruff knows only by typing's own name

from __future__ import annotations

from mist.trace.errors import WrongFunctionError
from mist.trace.generators import is_driven
from mist.trace.place import Place
from mist.trace.span import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])
else:

    def overload(fn: object) -> object:
        """Stand in for the one of typing, which takes long to load."""
        return fn


@overload
def traced(fn: F, /) -> F: ...
@overload
def traced(operation: str | None = None, /, **attrs: Any) -> Callable[[F], F]: ...
def traced(fn: Callable[..., Any] | str | None = None, /, **attrs: Any) -> Any:
    """Run each call of a function in a span of its own.

    `@traced`, or `@traced("inference", model="small")` with the operation and attributes; the
    operation is by default the function's qualified name.

    The span of a coroutine lasts until it returns. That of a generator, sync or async, lasts
    from its first step to its end, and is current in the generator alone: neither in its
    consumer nor in what the consumer starts, whichever tasks and threads it is advanced from.
    It is current in the block of a `contextlib.contextmanager`, as that is part of the
    operation.

    Raises:
        WrongFunctionError: It is put on something that is no function.
    """
    if fn is None or isinstance(fn, str):

        def decorate(function: F) -> F:
            return _decorated(function, fn, attrs)

        return decorate
    return _decorated(fn, None, attrs)


def _decorated(fn: F, operation: str | None, attrs: dict[str, Any]) -> F:
    import inspect  # noqa: PLC0415  # a multiple of the cost of importing this package
    from functools import wraps  # noqa: PLC0415  # likewise

    if not callable(fn) or inspect.isclass(fn):
        raise WrongFunctionError(
            f"@traced goes on a function, below other decorators; {fn!r} is none"
        )
    name: str = operation or getattr(fn, "__qualname__", None) or type(fn).__qualname__
    kinds = (
        (inspect.isasyncgenfunction, _async_generator),
        (inspect.isgeneratorfunction, _generator),
        (inspect.iscoroutinefunction, _coroutine),
    )
    wrapper = next((wrapper for applies, wrapper in kinds if applies(fn)), _function)
    decorated: F = wraps(fn)(wrapper(fn, name, attrs))  # type: ignore[assignment]  # by its kind
    return decorated


def _function(fn: Any, operation: str, attrs: dict[str, Any]) -> Any:
    def function(*args: Any, **kwargs: Any) -> Any:
        with start(operation, **attrs):
            return fn(*args, **kwargs)

    return function


def _coroutine(fn: Any, operation: str, attrs: dict[str, Any]) -> Any:
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with start(operation, **attrs):
            return await fn(*args, **kwargs)

    return coroutine


def _generator(fn: Any, operation: str, attrs: dict[str, Any]) -> Any:
    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps: Generator[Any, Any, Any] = fn(*args, **kwargs)
        span = start(operation, **attrs)
        if is_driven():
            with span:
                return (yield from steps)
        place = Place(span)
        advance, argument = steps.send, None
        while True:
            try:
                item = place.step(advance, argument)
            except StopIteration as stop:
                return stop.value
            finally:
                argument = None  # an exception that holds this frame must not be held by it
            try:
                advance, argument = steps.send, (yield item)
            except BaseException as exc:  # noqa: BLE001  # it is the generator's to handle
                advance, argument = steps.throw, exc

    return generator


def _async_generator(fn: Any, operation: str, attrs: dict[str, Any]) -> Any:
    from contextlib import nullcontext  # noqa: PLC0415  # as inspect

    async def generator(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        steps = fn(*args, **kwargs)
        span = start(operation, **attrs)
        driven = is_driven()
        place = Place(span)
        advance, argument = steps.asend, None
        with span if driven else nullcontext():
            while True:
                try:
                    if driven:
                        item = await advance(argument)
                    else:
                        item = await place.step_async(advance, argument)
                except StopAsyncIteration:
                    return
                finally:
                    argument = None  # as above
                try:
                    advance, argument = steps.asend, (yield item)
                except BaseException as exc:  # noqa: BLE001  # it is the generator's to handle
                    advance, argument = steps.athrow, exc

    return generator
