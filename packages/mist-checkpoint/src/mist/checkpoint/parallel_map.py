"""Parallel work that goes on where it was interrupted."""

import functools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from mist.checkpoint.driver import AWAITING
from mist.checkpoint.errors import CheckpointError, InvalidValue
from mist.checkpoint.tracker import Tracker

In = TypeVar("In")
Out = TypeVar("Out")

_AT_ONCE = 256  # results of earlier runs that are read before other tasks have their turn


class Outcome(msgspec.Struct, Generic[Out], frozen=True):
    """What became of one item; the attributes are those of a result of mist.parallel.

    Attributes:
        index: The item's place, from 0.
        input: The item.
        value: The result of its step; None where it failed.
        error: What the step raised; None where it succeeded.
    """

    index: int
    input: Any
    value: Out | None = None
    error: BaseException | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    def unwrap(self) -> Out:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return cast("Out", self.value)


class MapResult(Protocol):
    """What a map makes of one input."""

    @property
    def value(self) -> Any:
        """What the function returned."""
        ...

    @property
    def error(self) -> BaseException | None:
        """What it raised, if it did."""
        ...


class Workers(Protocol):
    """A pool: how many items are worked on at a time."""

    @property
    def workers(self) -> int:
        """The number, at least 1."""
        ...


Map = Callable[[Sequence[Any], Callable[[Any], Awaitable[Any]]], Awaitable[Sequence[MapResult]]]


class _Job(msgspec.Struct, frozen=True):
    index: int
    step: str
    item: Any


async def checkpointed_map(
    tracker: Tracker,
    pool: Map | Workers,
    items: Iterable[In],
    fn: Callable[[In], Awaitable[Out]],
    *,
    key: Callable[[In], str] | None = None,
    name: str = "",
    T: Any = None,  # noqa: N803  # what the package's contract calls a type
) -> list[Outcome[Out]]:
    """Do one step for each item, many at a time; only those that no earlier run completed.

    An item whose step fails has the error as its outcome, and is tried again by the next run.

    Args:
        tracker: The run.
        pool: How to work in parallel. Either an async callable that takes the items and a
            function, and returns results with `value` and `error` in the order of the items, as
            `functools.partial(mist.parallel.map, pool)` does; or an object that says how many
            `workers` there are, as a pool of mist.parallel does, the turns of whose `rate`, if
            it has one, are waited for.
        items: The items, which are all taken before the first is worked on.
        fn: What to do with an item: returns an awaitable, as in `Tracker.step`.
        key: What names an item's step, different for each. Items that are text or integers
            name theirs themselves.
        name: What comes before each key, as `name:key`, for the sake of other maps in the run.
        T: The type of the values, as in `Tracker.step`.

    Returns:
        An outcome for each item, in their order.

    Raises:
        InvalidValue: Two items have the same key, or one has none; or the pool is no pool.
        CheckpointError: The map does not give one result for each item.
    """
    run_all: Map = pool if callable(pool) else functools.partial(_work, pool)
    jobs = _jobs(items, key or _own_name, name)
    completed = set(await AWAITING.off_loop(tracker.completed_steps))
    rest = [job for job in jobs if job.step not in completed]

    async def step(job: _Job) -> Any:
        return await tracker.step(job.step, functools.partial(fn, job.item), T)

    results = await run_all(rest, step)
    if len(results) != len(rest):
        raise CheckpointError(f"the map gave {len(results)} results for {len(rest)} items")
    outcomes = {
        job.index: Outcome(job.index, job.item, result.value, result.error)
        for job, result in zip(rest, results, strict=True)
    }
    for job in jobs:
        if job.index not in outcomes:
            outcomes[job.index] = await _outcome(job, step)
            if job.index % _AT_ONCE == 0:
                await AWAITING.sleep(0)
    return [outcomes[job.index] for job in jobs]


async def _outcome(job: _Job, fn: Callable[[_Job], Awaitable[Any]]) -> Outcome[Any]:
    try:
        return Outcome(job.index, job.item, await fn(job))
    except Exception as exc:  # noqa: BLE001  # an error is the item's outcome
        return Outcome(job.index, job.item, error=exc)


async def _work(
    pool: Workers, jobs: Sequence[_Job], fn: Callable[[_Job], Awaitable[Any]]
) -> list[Outcome[Any]]:
    """Work on as many jobs at a time as the pool has workers."""
    import asyncio  # noqa: PLC0415  # loaded already where there is a task

    workers = getattr(pool, "workers", None)
    if not isinstance(workers, int) or workers < 1:
        raise InvalidValue(f"{pool!r} is neither a map nor has it one worker or more")
    rate = getattr(pool, "rate", None)
    outcomes: dict[int, Outcome[Any]] = {}
    waiting = iter(jobs)

    async def work() -> None:
        for job in waiting:
            if rate is not None:
                await rate.wait()
            outcomes[job.index] = await _outcome(job, fn)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(jobs))):
            group.create_task(work())
    return [outcomes[job.index] for job in jobs]


def _jobs(items: Iterable[In], key: Callable[[In], str], name: str) -> list[_Job]:
    jobs: list[_Job] = []
    names: dict[str, int] = {}
    for index, item in enumerate(items):
        own = key(item)
        step = f"{name}:{own}" if name else own
        first = names.setdefault(step, index)
        if first != index:
            raise InvalidValue(f"items {first} and {index} have the same key {own!r}")
        jobs.append(_Job(index, step, item))
    return jobs


def _own_name(item: object) -> str:
    if isinstance(item, (str, int)):
        return str(item)
    raise InvalidValue(f"an item of type {type(item).__name__} has no name of its own: pass `key`")
