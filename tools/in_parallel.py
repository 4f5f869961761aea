"""Run pieces of work some at a time, and tell of each as it ends."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

JOBS = min(4, os.cpu_count() or 1)
"""How many pieces at a time, unless somebody says otherwise."""

T = TypeVar("T")


async def in_parallel(
    work: Sequence[Callable[[], Awaitable[T]]], jobs: int, *, show: bool = True
) -> list[T]:
    """Return what each piece of work returns, in their order.

    The first that fails ends the others, and its error is raised.

    Args:
        work: what to call and to await.
        jobs: how many at a time.
        show: whether to print each result to stderr as it comes.
    """
    free = asyncio.Semaphore(jobs)
    ended = 0

    async def one(piece: Callable[[], Awaitable[T]]) -> T:
        nonlocal ended
        async with free:
            result = await piece()
        ended += 1
        if show:
            print(f"[{ended}/{len(work)}] {result}", file=sys.stderr, flush=True)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(piece)) for piece in work]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


def add_jobs(parser: argparse.ArgumentParser, pieces: str) -> None:
    """Give a command the flag `--jobs`, where it says what the pieces of work are."""
    parser.add_argument(
        "--jobs", type=_positive, default=JOBS, metavar="N", help=f"{pieces} at a time"
    )


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text!r}")
    return number
