"""Run pieces of work some at a time, and tell of each as it ends."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def in_parallel(work: Sequence[Callable[[], Awaitable[T]]], jobs: int) -> list[T]:
    """Return what each piece of work returns, in their order; show it on stderr as it comes.

    The first that fails ends the others, and its error is raised.

    Args:
        work: what to call and to await.
        jobs: how many at a time.
    """
    free = asyncio.Semaphore(jobs)
    ended = 0

    async def one(piece: Callable[[], Awaitable[T]]) -> T:
        nonlocal ended
        async with free:
            result = await piece()
        ended += 1
        print(f"[{ended}/{len(work)}] {result}", file=sys.stderr, flush=True)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(piece)) for piece in work]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]
