"""What a breaker costs while all is well."""

import asyncio
from collections.abc import AsyncGenerator, Generator

import pybreaker
from purgatory import AsyncCircuitBreakerFactory, SyncCircuitBreakerFactory

from mist.circuitbreaker import Breaker
from tools.bench.pair import AsyncPair, Pair
from tools.bench.row import Rows, at_least

ROWS = Rows("circuitbreaker")

_CALLS = 1000


def _work() -> None:
    pass


async def _work_async() -> None:
    pass


@ROWS.calls("happy path, sync", at_least(2), against="pybreaker", peers=["pybreaker"])
def sync() -> Generator[Pair]:
    """Call a function that does nothing through each."""
    ours, peer = Breaker(), pybreaker.CircuitBreaker()
    yield Pair(ours=lambda: ours.do_sync(_work), peer=lambda: peer.call(_work))


@ROWS.calls(
    "happy path, sync, purgatory", at_least(2), against="purgatory, with", peers=["purgatory"]
)
def sync_purgatory() -> Generator[Pair]:
    """The same, against the other library."""
    breaker = Breaker()
    other = SyncCircuitBreakerFactory().get_breaker("bench")

    def peer() -> None:
        with other:
            _work()

    yield Pair(ours=lambda: breaker.do_sync(_work), peer=peer)


# Against purgatory alone: pybreaker's asynchronous calls are Tornado's.
@ROWS.awaits(
    "happy path, async",
    at_least(2),
    against="purgatory, async with",
    peers=["purgatory"],
    per_call=_CALLS,
)
async def do() -> AsyncGenerator[AsyncPair]:
    """Await a coroutine that does nothing through each, in the form each is fastest in."""
    breaker = Breaker()
    other = await AsyncCircuitBreakerFactory().get_breaker("bench")

    async def ours() -> None:
        for _ in range(_CALLS):
            await breaker.do(_work_async)

    async def peer() -> None:
        for _ in range(_CALLS):
            async with other:
                await _work_async()

    await asyncio.gather(ours(), peer())
    yield AsyncPair(ours=ours, peer=peer)
