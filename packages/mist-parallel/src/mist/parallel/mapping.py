"""All results at once, in the order of the inputs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from mist.parallel.pool import Pool
from mist.parallel.progress import OnProgress
from mist.parallel.result import Result

# What works on inputs is imported when there are some: asyncio, and the executors of
# concurrent.futures, would be nearly all of this package's import time.
if TYPE_CHECKING:
    from concurrent.futures import Executor

In = TypeVar("In")
Out = TypeVar("Out")


@overload
async def map(  # noqa: A001  # the contract's name
    pool: Pool,
    inputs: Iterable[In],
    fn: Callable[[In], Awaitable[Out]],
    *,
    on_progress: OnProgress | None = None,
) -> list[Result[Out]]: ...
@overload
async def map(  # noqa: A001  # the contract's name
    pool: Pool,
    inputs: Iterable[In],
    fn: Callable[[In], Out],
    *,
    on_progress: OnProgress | None = None,
) -> list[Result[Out]]: ...
async def map(  # noqa: A001  # the contract's name
    pool: Pool,
    inputs: Iterable[In],
    fn: Callable[[In], Any],
    *,
    on_progress: OnProgress | None = None,
) -> list[Result[Any]]:
    """Call `fn` with each input, and return what became of each, in the order of the inputs.

    An exception of `fn` is that input's result, and disturbs no other. If the caller is
    cancelled, what is under way is cancelled and waited for, and nothing more is begun.

    Args:
        pool: how many at a time.
        inputs: may be made while they are consumed; no more are taken than are worked on.
        fn: a coroutine function, or any other function, which then runs in threads. A thread
            cannot be cancelled: it goes on, and what it returns is lost.
        on_progress: called with how many are done, and how many there are (None if unknown); a
            `Progress` of mist.output is one. What it raises is logged once.

    Raises:
        Exception: What `inputs` raises, once all that was begun is done.
    """
    from mist.parallel.run import Run  # noqa: PLC0415  # see above

    run = Run(pool, inputs, fn, ahead=None, on_progress=on_progress)
    try:
        results = [result async for result in run.results()]
    finally:
        await run.stop()
    results.sort(key=attrgetter("index"))
    return results


async def do(
    pool: Pool,
    inputs: Iterable[In],
    fn: Callable[[In], Any],
    *,
    on_progress: OnProgress | None = None,
) -> None:
    """Call `fn` with each input, for what it does; see `map`.

    Raises:
        Exception: The error of the first input, in their order, that has one; a note tells how
            many others failed. All inputs are worked on before.
    """
    results = await map(pool, inputs, fn, on_progress=on_progress)
    failed = [result for result in results if result.error is not None]
    if failed:
        error = failed[0].error
        assert error is not None  # noqa: S101  # chosen for it
        error.add_note(f"input {failed[0].index}; {len(failed)} of {len(results)} inputs failed")
        raise error


@overload
async def fan_out(
    pool: Pool, input: In, fns: Sequence[Callable[[In], Awaitable[Out]]]
) -> list[Result[Out]]: ...
@overload
async def fan_out(
    pool: Pool, input: In, fns: Sequence[Callable[[In], Out]]
) -> list[Result[Out]]: ...
async def fan_out(
    pool: Pool,
    input: In,  # noqa: A002  # the contract's word
    fns: Sequence[Callable[[In], Any]],
) -> list[Result[Any]]:
    """Call each function with the same input, and return what became of each, in their order.

    Args:
        pool: how many at a time.
        input: what every function gets; it is each result's `input` as well.
        fns: coroutine functions or others, as `map` takes them.
    """
    from mist.parallel.call import Caller  # noqa: PLC0415  # see above

    async def call(fn: Callable[[In], Any]) -> Any:
        caller = Caller(fn, 1)
        try:
            return await caller.call(input)
        finally:
            caller.close()

    results: list[Result[Any]] = await map(pool, fns, call)
    for result in results:
        result.input = input
    return results


def map_sync(
    pool: Pool,
    inputs: Iterable[In],
    fn: Callable[[In], Out],
    *,
    on: Literal["threads", "processes"] | Executor = "threads",
    on_progress: OnProgress | None = None,
) -> list[Result[Out]]:
    """Call `fn` with each input, and return what became of each, in the order of the inputs.

    An exception of `fn` is that input's result; where a process dies, so is that for each input
    that is under way or comes after. Ctrl-C ends the processes and begins nothing more; threads
    cannot be ended, and are left to finish what they are at.

    Args:
        pool: how many at a time.
        inputs: may be made while they are consumed; no more are taken than are worked on.
        fn: a plain function; for processes, one that they can import, with inputs and results
            that pickle.
        on: `threads` for work that waits, `processes` for work that computes, or an executor,
            which is left open.
        on_progress: as `map` takes it.

    Raises:
        ParallelError: `fn` is a coroutine function, or cannot be sent to a process.
        Exception: What `inputs` raises, once all that was begun is done.
    """
    from mist.parallel.executors import each_result  # noqa: PLC0415  # see above

    return each_result(pool, inputs, fn, on, on_progress)
