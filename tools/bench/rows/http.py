"""Messages between two processes over HTTP, against one POST each by a bare aiohttp client."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator

import aiohttp

from mist.protocol import Message
from mist.transport import HTTP
from tools.bench.row import Rows, Unit, at_least

_IN_FLIGHT = 256
_SINGLES = 8_000
_BATCHED = 80_000

_LISTENER = """
import asyncio, sys
from mist.transport import HTTP

async def listen(batch):
    async with HTTP(batch=batch) as transport:
        await transport.listen("127.0.0.1:0")
        print(transport.listen_url, flush=True)
        async for _ in transport:
            pass

asyncio.run(listen(sys.argv[1] == "batches"))
"""

ROWS = Rows("http")


@contextlib.contextmanager
def _listener(kind: str) -> Generator[str]:
    """Run a listener in a process of its own, and give its URL."""
    with subprocess.Popen(
        [sys.executable, "-c", _LISTENER, kind], stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None:
            raise RuntimeError("the listener has no output")
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError("the listener does not start")
            yield url
        finally:
            process.kill()


def _message() -> Message:
    return Message.new(
        "matchspec",
        "eval.result",
        {"suite": "bench", "task": "http", "passed": True, "score": 0.5, "duration_ms": 12},
    )


async def _rate(send: Callable[[], Awaitable[None]], count: int) -> float:
    """Return the messages per second of that many sends, 256 of them in flight."""

    async def steadily() -> None:
        for _ in range(count // _IN_FLIGHT):
            await send()

    # The first tells what the peer takes, the next fill the pool of connections.
    await send()
    await asyncio.gather(*(send() for _ in range(_IN_FLIGHT)))
    started = time.perf_counter()
    await asyncio.gather(*(steadily() for _ in range(_IN_FLIGHT)))
    return count // _IN_FLIGHT * _IN_FLIGHT / (time.perf_counter() - started)


async def _ours(url: str, count: int) -> float:
    message = _message()
    async with HTTP(url) as transport:
        return await _rate(lambda: transport.send(message), count)


async def _bare(url: str) -> float:
    message = _message()
    headers = {"Content-Type": "application/json"}

    async def post() -> None:
        async with session.post(url, data=message.marshal(), headers=headers) as answer:
            await answer.read()
            if answer.status != 202:
                raise RuntimeError(f"the listener answered {answer.status}")

    async with aiohttp.ClientSession() as session:
        return await _rate(post, _SINGLES)


@ROWS.rounds(
    "256 sends in flight",
    at_least(6),
    against="one POST each by aiohttp",
    peers=["aiohttp", "uvicorn", "httptools"],
    unit=Unit.PER_SECOND,
)
def batches() -> Generator[tuple[float, float]]:
    """Send to a listener that takes batches."""
    with _listener("batches") as url:
        while True:
            yield asyncio.run(_ours(url, _BATCHED)), asyncio.run(_bare(url))


@ROWS.rounds(
    "256 sends in flight, singles only",
    at_least(0.8),
    against="one POST each by aiohttp",
    peers=["aiohttp", "uvicorn", "httptools"],
    unit=Unit.PER_SECOND,
)
def singles() -> Generator[tuple[float, float]]:
    """Send to a listener that takes single messages only, as mist-go's does."""
    with _listener("singles") as url:
        while True:
            yield asyncio.run(_ours(url, _SINGLES)), asyncio.run(_bare(url))
