"""Results one by one, as they are done."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any, TypeVar, overload

from mist.parallel.pool import Pool
from mist.parallel.progress import OnProgress
from mist.parallel.result import Result

In = TypeVar("In")
Out = TypeVar("Out")


@overload
def stream(
    pool: Pool,
    inputs: AsyncIterable[In] | Iterable[In],
    fn: Callable[[In], Awaitable[Out]],
    *,
    on_progress: OnProgress | None = None,
) -> AsyncGenerator[Result[Out]]: ...
@overload
def stream(
    pool: Pool,
    inputs: AsyncIterable[In] | Iterable[In],
    fn: Callable[[In], Out],
    *,
    on_progress: OnProgress | None = None,
) -> AsyncGenerator[Result[Out]]: ...
async def stream(
    pool: Pool,
    inputs: AsyncIterable[In] | Iterable[In],
    fn: Callable[[In], Any],
    *,
    on_progress: OnProgress | None = None,
) -> AsyncGenerator[Result[Any]]:
    """Call `fn` with each input, and yield what became of each as soon as it is done.

    The inputs may be endless: at most `pool.workers` of them are under way or wait to be fetched
    at a time, so that a slow reader slows the work down, and memory stays bounded.

    Leaving the loop early cancels what is under way. To have it over before the program goes on,
    close the generator: `async with contextlib.aclosing(stream(...)) as results:`.

    Args:
        pool: how many at a time.
        inputs: an iterable or an async iterable; an async generator is closed in the end.
        fn: a coroutine function, or any other function, which then runs in threads.
        on_progress: as `map` takes it.

    Raises:
        Exception: What `inputs` raises, after the results of all that was begun.
    """
    from mist.parallel.run import Run  # noqa: PLC0415  # brings asyncio

    run = Run(pool, inputs, fn, ahead=pool.workers, on_progress=on_progress)
    try:
        async with aclosing(run.results()) as results:
            async for result in results:
                yield result
    finally:
        await run.stop()
