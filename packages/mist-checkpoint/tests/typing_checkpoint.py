"""What users write, checked by mypy and pyright and never run."""

import functools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, assert_type

import msgspec

from mist import checkpoint
from mist.checkpoint import (
    CheckpointError,
    InvalidValue,
    Outcome,
    Problem,
    Record,
    RunInUse,
    Status,
    StorageError,
    Tracker,
    checkpointed_map,
    read_records,
    valid_run_id,
)


class Score(msgspec.Struct):
    """A result."""

    value: float


class Pool:
    """What a pool of mist.parallel looks like."""

    def __init__(self, workers: int) -> None:
        self.workers = workers


async def parallel_map(
    pool: Pool, inputs: Sequence[Any], fn: Callable[[Any], Awaitable[Any]]
) -> list[Outcome[Any]]:
    """Have the shape of `mist.parallel.map`."""
    jobs = enumerate(inputs[: pool.workers])
    return [Outcome(index, item, await fn(item)) for index, item in jobs]


async def score() -> Score:
    """Do something."""
    return Score(0.5)


async def steps(directory: Path) -> None:
    """Take steps in an event loop."""
    async with checkpoint.open(directory, "run", wait=True, timeout=1.5, spill_over=100) as tracker:
        assert_type(tracker, Tracker)
        assert_type(await tracker.step("a", score, Score), Score)
        assert_type(await tracker.step("a", score, Score, inputs={"n": 1}), Score)
        assert_type(await tracker.step("a", score), Any)
        assert_type(await tracker.step_retry("a", 3, score, Score), Score)
        assert_type(await tracker.step("a", score, list[int]), list[int])
        assert_type(tracker.result("a", Score), Score)
        assert_type(tracker.result("a"), Any)
        assert_type(tracker.is_completed("a"), bool)
        assert_type(tracker.completed_steps(), list[str])
        assert_type(tracker.problems, tuple[Problem, ...])


async def maps(tracker: Tracker) -> None:
    """Map over items."""

    async def work(item: int) -> Score:
        return Score(item)

    outcomes = await checkpointed_map(tracker, Pool(8), [1, 2], work, key=str, name="score")
    assert_type(outcomes, list[Outcome[Score]])
    assert_type(outcomes[0].unwrap(), Score)
    await checkpointed_map(tracker, functools.partial(parallel_map, Pool(8)), [1, 2], work)


def blocking(directory: str) -> None:
    """Take steps in a script."""
    try:
        with checkpoint.open(directory, "run") as tracker:
            assert_type(tracker.step_sync("a", lambda: Score(1), Score), Score)
            assert_type(tracker.step_retry_sync("a", 3, lambda: Score(1)), Any)
            assert_type(tracker.run_id, str)
            tracker.reset()
    except RunInUse as error:
        assert_type(error.holder, int | None)
    except StorageError as error:
        assert_type(error.errno, int | None)
    except InvalidValue as error:
        ValueError.__str__(error)
    except CheckpointError as error:
        assert_type(error.code, str)


def logs(path: Path) -> None:
    """Read a log."""
    for record in read_records(path):
        assert_type(record, Record)
        if record.status == Status.FAILED:
            assert_type(record.error, str)
    assert_type(valid_run_id("run"), bool)
