"""What users write, checked by mypy and pyright and never run."""

import random
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Protocol, assert_type

from mist.retry import (
    AGGRESSIVE_POLICY,
    DEFAULT_POLICY,
    Attempt,
    Budget,
    Policy,
    do,
    do_auto,
    do_auto_sync,
    do_sync,
    do_with_classifier,
    do_with_classifier_sync,
    retrying,
    without_waiting,
)

policy = Policy(max_attempts=5, initial_wait=1, jitter=0)
assert_type(policy.replace(max_wait=2.5), Policy)
assert_type(policy.waits(random.Random(7).random), Iterator[float])
assert_type(policy.total_max_wait(), float)
assert_type(policy.attempts, int)

budget = Budget(20, refill_rate=2, refund=0.5)
assert_type(budget.available, float)
assert_type(budget.try_take(), bool)


def hook(attempt: Attempt) -> None:
    """Take all of it."""
    assert_type(attempt.number, int)
    assert_type(attempt.error, Exception | None)
    assert_type(attempt.wait, float | None)
    assert_type(attempt.elapsed, float)
    assert_type(attempt.verdict, str | None)


def count() -> int:
    """Return a number."""
    return 1


async def count_async() -> int:
    """Return a number."""
    return 1


def is_busy(error: Exception) -> bool:
    """Tell whether to retry."""
    return "busy" in str(error)


async def calls() -> None:
    """Call all forms."""
    assert_type(await do(policy, count_async), int)
    assert_type(await do_auto(policy, count_async, budget=budget, within=10), int)
    assert_type(
        await do_with_classifier(policy, is_busy, count_async, on_attempt=hook, nested="retry"), int
    )
    assert_type(await do_with_classifier(policy, (OSError, KeyError), count_async), int)
    assert_type(do_sync(AGGRESSIVE_POLICY, count), int)
    assert_type(do_auto_sync(policy, count, budget=None), int)
    assert_type(do_with_classifier_sync(policy, OSError, count, within=1), int)
    await do(policy, count)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await do(policy, count_async, nested="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await do(policy, count_async, budgt=budget)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@retrying(DEFAULT_POLICY)
def plain(number: int, *, text: str = "") -> str:
    """Keep the signature."""
    return text * number


@retrying(DEFAULT_POLICY, classifier=OSError, budget=budget, on_attempt=hook)
async def awaited(number: int) -> str:
    """Keep the signature."""
    return str(number)


@retrying(DEFAULT_POLICY)
def generated(number: int) -> Generator[int, str, bool]:
    """Keep the signature."""
    yield number
    return True


@retrying(DEFAULT_POLICY)
async def generated_async(number: int) -> AsyncGenerator[int, str]:
    """Keep the signature."""
    yield number


class Client:
    """Has a method."""

    @retrying(DEFAULT_POLICY)
    async def get(self, key: str) -> bytes:
        """Keep the signature."""
        return key.encode()


async def decorated() -> None:
    """Use what is decorated."""
    assert_type(plain(1, text="a"), str)
    assert_type(await awaited(1), str)
    assert_type(generated(1), Generator[int, str, bool])
    assert_type(generated_async(1), AsyncGenerator[int, str])
    assert_type(await Client().get("k"), bytes)
    plain("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await awaited()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


with without_waiting() as waits:
    assert_type(waits, list[float])


class RetryPolicy(Protocol):
    """What a middleware asks of a policy, without knowing this package."""

    def waits(self) -> Iterator[float]:
        """Give the waits."""
        ...


fits: RetryPolicy = DEFAULT_POLICY
classify: Callable[[Exception], object] = is_busy
