"""What a call that succeeds at once costs with a retry around it, ours and others'."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from itertools import repeat

import stamina
import tenacity

from mist.retry import DEFAULT_POLICY, do, do_sync, retrying
from tools.bench.pair import AsyncPair, Pair
from tools.bench.row import Rows, at_least

ROWS = Rows("retry")

# So many calls to a sample's call that the harness's own call does not count.
_LOOP = 100


def _work() -> None:
    """Do nothing."""


async def _work_async() -> None:
    """Do nothing."""


_STOP = tenacity.stop_after_attempt(3)
_WAIT = tenacity.wait_exponential_jitter(max=5)
_TENACITY = tenacity.retry(stop=_STOP, wait=_WAIT, reraise=True)
_TENACITY_CALL = tenacity.Retrying(stop=_STOP, wait=_WAIT, reraise=True)
_TENACITY_AWAIT = tenacity.AsyncRetrying(stop=_STOP, wait=_WAIT, reraise=True)
_STAMINA = stamina.retry(on=Exception, attempts=3)
_STAMINA_CALL = stamina.RetryingCaller(attempts=3).on(Exception)
_STAMINA_AWAIT = stamina.AsyncRetryingCaller(attempts=3).on(Exception)


def _sync(
    form: str, peer_name: str, ours: Callable[[], object], peer: Callable[[], object]
) -> None:
    @ROWS.calls(
        f"{form}, sync, {peer_name}",
        at_least(10),
        against=peer_name,
        peers=[peer_name],
        per_call=_LOOP,
    )
    def row() -> Generator[Pair]:
        def loop(call: Callable[[], object]) -> None:
            for _ in repeat(None, _LOOP):
                call()

        yield Pair(ours=lambda: loop(ours), peer=lambda: loop(peer))


def _async(
    form: str,
    peer_name: str,
    ours: Callable[[], Awaitable[object]],
    peer: Callable[[], Awaitable[object]],
) -> None:
    @ROWS.awaits(
        f"{form}, async, {peer_name}",
        at_least(10),
        against=peer_name,
        peers=[peer_name],
        per_call=_LOOP,
    )
    async def row() -> AsyncGenerator[AsyncPair]:
        async def loop(call: Callable[[], Awaitable[object]]) -> None:
            for _ in repeat(None, _LOOP):
                await call()

        yield AsyncPair(ours=lambda: loop(ours), peer=lambda: loop(peer))


_decorate = retrying(DEFAULT_POLICY)
_sync("decorated", "tenacity", _decorate(_work), _TENACITY(_work))
_sync("decorated", "stamina", _decorate(_work), _STAMINA(_work))
_async("decorated", "tenacity", _decorate(_work_async), _TENACITY(_work_async))
_async("decorated", "stamina", _decorate(_work_async), _STAMINA(_work_async))

_sync("called", "tenacity", lambda: do_sync(DEFAULT_POLICY, _work), lambda: _TENACITY_CALL(_work))
_sync("called", "stamina", lambda: do_sync(DEFAULT_POLICY, _work), lambda: _STAMINA_CALL(_work))
_async(
    "called",
    "tenacity",
    lambda: do(DEFAULT_POLICY, _work_async),
    lambda: _TENACITY_AWAIT(_work_async),
)
_async(
    "called",
    "stamina",
    lambda: do(DEFAULT_POLICY, _work_async),
    lambda: _STAMINA_AWAIT(_work_async),
)
