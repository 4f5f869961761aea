"""The live page of a run: a few files, and a stream of snapshots."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import Any, Final

from mist.command.demo.live import Live
from mist.server import Server

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ASSETS: Final = {
    "/{$}": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
# Nothing but what comes from here may be loaded, run or sent to.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:"
)
_PERIOD: Final = 0.25  # seconds from one snapshot to the next


@asynccontextmanager
async def page_served(live: Live, listen: str) -> AsyncGenerator[str]:
    """Serve the page of a run while entered, and yield its URL.

    Args:
        live: What it shows.
        listen: Where, as `host:port`; port 0 is any free one.

    Raises:
        ServerError: It cannot listen there.
    """
    ending = asyncio.Event()
    server = Server(listen)
    for pattern, (name, kind) in _ASSETS.items():
        server.handle(f"GET {pattern}", partial(_send_asset, name, kind))
    server.handle("GET /events", partial(_send_snapshots, live, ending))
    async with server:
        try:
            yield f"{server.url}/"
        finally:
            ending.set()


async def _send_asset(name: str, kind: str, _scope: Scope, _receive: Receive, send: Send) -> None:
    body = await asyncio.to_thread(files("mist.command.demo").joinpath("assets", name).read_bytes)
    await _begin(send, kind, (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.body", "body": body})


async def _send_snapshots(
    live: Live, ending: asyncio.Event, _scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a snapshot whenever there is a new one, as server-sent events (HTML Standard, 9.2)."""
    await _begin(send, "text/event-stream")
    gone = asyncio.create_task(_disconnected(receive))
    ended = asyncio.create_task(ending.wait())
    last = b""
    try:
        while not (gone.done() or ended.done()):
            event = b"data: %s\n\n" % json.dumps(live.snapshot()).encode()
            if event != last:
                await send({"type": "http.response.body", "body": event, "more_body": True})
                last = event
            await asyncio.wait((gone, ended), timeout=_PERIOD, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        ended.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send, kind: str, *headers: tuple[bytes, bytes]) -> None:
    own = [
        (b"content-type", kind.encode()),
        (b"content-security-policy", _POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": own})
