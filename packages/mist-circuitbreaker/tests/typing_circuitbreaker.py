"""What users write, checked by mypy and pyright and never run."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from mist.circuitbreaker import Breaker, BreakerPool, CircuitOpenError, State, is_failure

breaker = Breaker(
    threshold=None,
    failure_ratio=0.5,
    is_failure=lambda error: is_failure(error) and not isinstance(error, KeyError),
    on_state_change=lambda old, new: print(old.value, new.value),
)


async def _answer() -> int:
    return 1


async def _stand_in(refusal: CircuitOpenError) -> str:
    return refusal.name


@breaker.protect
def _plain(number: int, *, text: str = "") -> bytes:
    return text.encode() * number


@breaker.protect
async def _coroutine(number: int) -> str:
    return str(number)


@breaker.protect
async def _stream() -> AsyncIterator[int]:
    yield 1


@breaker.protect
def _generator() -> Iterator[int]:
    yield 1


async def use() -> None:
    """Use everything once."""
    assert_type(await breaker.do(_answer), int)
    assert_type(breaker.do_sync(lambda: "text"), str)
    assert_type(await breaker.do_with_fallback(_answer, _stand_in), int | str)
    assert_type(breaker.state, State)
    assert_type(breaker.counts(), tuple[int, int])
    assert_type(_plain(1, text=""), bytes)
    assert_type(await _coroutine(1), str)
    async for number in _stream():
        assert_type(number, int)
    for number in _generator():
        assert_type(number, int)
    async with breaker as entered:
        assert_type(entered, Breaker)
    pool = BreakerPool(threshold=3)
    assert_type(await pool.do("key", _answer), int)
    assert_type(pool["key"], Breaker)
    _plain("text")  # type: ignore[arg-type]  # the decorator keeps the signature
