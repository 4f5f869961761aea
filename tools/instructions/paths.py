"""The hot paths: what happens for each message, call or span of a program.

`python -m tools.instructions.paths PATH TIMES` walks one of them so many times, which is what
callgrind watches. What a path needs is imported in it, so that it starts with nothing else.
"""

import gc
import sys
from collections.abc import Callable, Coroutine
from itertools import repeat


def envelope(times: int) -> None:
    """Write a small message and read it back."""
    from mist.protocol import HealthPing, Message, MessageType, Source  # noqa: PLC0415

    ping = HealthPing("matchspec")
    message = Message.new(Source.MATCHSPEC, MessageType.HEALTH_PING, ping)
    for _ in repeat(None, times):
        Message.unmarshal(message.marshal())


def counter(times: int) -> None:
    """Count one, on an object at hand."""
    from mist.metrics import Registry  # noqa: PLC0415

    requests = Registry().counter("requests", method="GET")
    for _ in repeat(None, times):
        requests.inc()


def span(times: int) -> None:
    """Record a span with one attribute."""
    from mist.trace import start  # noqa: PLC0415

    for _ in repeat(None, times):
        with start("inference") as span:
            span.set_attr("model", "small")


def breaker(times: int) -> None:
    """Call a function that does nothing through a closed breaker."""
    from mist.circuitbreaker import Breaker  # noqa: PLC0415

    call = Breaker()
    for _ in repeat(None, times):
        call.do_sync(_nothing)


def breaker_async(times: int) -> None:
    """Await a coroutine that does nothing through a closed breaker."""
    from mist.circuitbreaker import Breaker  # noqa: PLC0415

    call = Breaker()

    async def walk() -> None:
        for _ in repeat(None, times):
            await call.do(_nothing_async)

    _finish(walk())


def retry(times: int) -> None:
    """Call a function that succeeds at once with a retry around it."""
    from mist.retry import DEFAULT_POLICY, do_sync  # noqa: PLC0415

    for _ in repeat(None, times):
        do_sync(DEFAULT_POLICY, _nothing)


PATHS: dict[str, Callable[[int], None]] = {
    "envelope": envelope,
    "counter": counter,
    "span": span,
    "breaker": breaker,
    "breaker-async": breaker_async,
    "retry": retry,
}


def _nothing() -> None:
    pass


async def _nothing_async() -> None:
    pass


def _finish(walk: Coroutine[None, None, None]) -> None:
    """Run a coroutine that waits for nothing; it needs no event loop, whose turns would count."""
    try:
        walk.send(None)
    except StopIteration:
        return
    raise RuntimeError("a hot path waits")


if __name__ == "__main__":
    gc.disable()
    PATHS[sys.argv[1]](int(sys.argv[2]))
