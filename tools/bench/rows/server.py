"""Requests per second of a trivial handler, against the same one under uvicorn alone."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Generator

from tools.bench.row import Rows, Unit, at_least

_CONNECTIONS = 32
_REQUESTS = 20_000

_HANDLERS = """
import sys
from starlette.responses import JSONResponse

async def item(request):
    return JSONResponse({"id": request.path_params["id"]})

async def echo(request):
    return JSONResponse({"bytes": len(await request.body())})
"""

_OURS = f"""{_HANDLERS}
from mist.server import Server

server = Server("127.0.0.1:0")
server.handle("GET /items/{{id}}", item)
server.handle("POST /echo", echo)
server.listen_and_serve()
"""

_PEER = f"""{_HANDLERS}
import socket
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

app = Starlette(
    routes=[Route("/items/{{id}}", item), Route("/echo", echo, methods=["POST"])]
)
# Told that it is TCP, as asyncio's own sockets are: else asyncio leaves Nagle's algorithm on.
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
sock.bind(("127.0.0.1", 0))
print(f"listening on http://127.0.0.1:{{sock.getsockname()[1]}}", file=sys.stderr, flush=True)
config = uvicorn.Config(
    app, http="httptools", loop="asyncio", lifespan="off", ws="none", log_config=None,
    access_log=False, proxy_headers=False, server_header=False,
)
uvicorn.Server(config).run(sockets=[sock])
"""

_GET = b"GET /items/7 HTTP/1.1\r\nHost: bench\r\n\r\n"
_POST = b"POST /echo HTTP/1.1\r\nHost: bench\r\nContent-Length: 1024\r\n\r\n" + b"x" * 1024

ROWS = Rows("server")


class _Client(asyncio.Protocol):
    """Sends its share of the requests, one after the other, over one connection."""

    def __init__(self, request: bytes, count: int, done: "asyncio.Future[None]") -> None:
        self._request = request
        self._left = count
        self._done = done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("this is no transport of a stream")
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Send the next once the JSON of a response has come; its head may come before."""
        if not data.startswith((b"HTTP/1.1 200", b"{")):
            self._done.set_exception(RuntimeError(f"the server answered {data[:40]!r}"))
            return
        if not data.endswith(b"}"):
            return
        self._left -= 1
        if self._left:
            self._transport.write(self._request)
        else:
            self._transport.close()
            self._done.set_result(None)


async def _rate(port: int, request: bytes) -> float:
    loop = asyncio.get_running_loop()
    share = _REQUESTS // _CONNECTIONS
    started = time.perf_counter()
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(_CONNECTIONS)]
    for end in ends:
        await loop.create_connection(
            lambda end=end: _Client(request, share, end),  # type: ignore[misc]  # bound at once
            "127.0.0.1",
            port,
        )
    await asyncio.gather(*ends)
    return share * _CONNECTIONS / (time.perf_counter() - started)


@contextlib.contextmanager
def _served(script: str) -> Generator[int]:
    """Run a server in a process of its own, and give its port."""
    with subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True
    ) as process:
        if process.stderr is None:
            raise RuntimeError("the server has no output")
        try:
            yield int(process.stderr.readline().rpartition(":")[2])
        finally:
            process.kill()


def _compare(request: bytes) -> Generator[tuple[float, float]]:
    with _served(_OURS) as ours, _served(_PEER) as peer:
        while True:
            yield asyncio.run(_rate(ours, request)), asyncio.run(_rate(peer, request))


@ROWS.rounds(
    f"GET of a path with a wildcard, {_CONNECTIONS} connections",
    at_least(0.9),
    against="uvicorn + starlette's router",
    peers=["uvicorn", "starlette", "httptools"],
    unit=Unit.PER_SECOND,
)
def get() -> Generator[tuple[float, float]]:
    """Route, and answer with a few bytes of JSON."""
    yield from _compare(_GET)


@ROWS.rounds(
    f"POST of 1 kB, {_CONNECTIONS} connections",
    at_least(0.9),
    against="uvicorn + starlette's router",
    peers=["uvicorn", "starlette", "httptools"],
    unit=Unit.PER_SECOND,
)
def post() -> Generator[tuple[float, float]]:
    """Read a body under deadline and limit."""
    yield from _compare(_POST)
