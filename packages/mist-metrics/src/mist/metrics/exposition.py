"""The ASGI application that shows metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mist.metrics.accept import preferred
from mist.metrics.errors import PrometheusClientMissing
from mist.metrics.process import serving_loop
from mist.metrics.snapshot import Snapshot

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_JSON = "application/json"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OFFERS = (_JSON, _OPENMETRICS, _TEXT)
_PLAIN = "text/plain; charset=utf-8"


class Exposition:
    """Serves snapshots at whatever path it is mounted: JSON unless `Accept` prefers otherwise.

    The other formats are OpenMetrics 1.0 and Prometheus's text format 0.0.4. A client that
    prefers one of these gets 406 with the remedy where prometheus_client is not installed,
    because no Prometheus server can read the JSON that it would accept as well.

    Args:
        take: Returns the snapshot to show; it is called in a thread.
    """

    def __init__(self, take: Callable[[], Snapshot]) -> None:
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._answer(scope, send)

    async def _answer(self, scope: Scope, send: Send) -> None:
        headers = {"cache-control": "no-store", "vary": "accept"}
        if scope["method"] in ("GET", "HEAD"):
            status, headers["content-type"], body = await self._body(_accept(scope))
        else:
            status, headers["content-type"], body = 405, _PLAIN, b"metrics can only be read\n"
            headers["allow"] = "GET, HEAD"
        headers["content-length"] = str(len(body))
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            }
        )
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    async def _body(self, accept: str) -> tuple[int, str, bytes]:
        """Return a status, a media type and what to send."""
        chosen = preferred(accept, _OFFERS)
        if chosen is None:
            return 406, _PLAIN, f"there is {', '.join(_OFFERS)}\n".encode()
        serving_loop.set(asyncio.get_running_loop())
        try:
            return 200, chosen, await asyncio.to_thread(self._render, chosen)
        except PrometheusClientMissing as exc:
            return 406, _PLAIN, f"{exc}\n".encode()

    def _render(self, chosen: str) -> bytes:
        if chosen == _JSON:
            return self._take().to_json()
        from mist.metrics.prometheus import text  # noqa: PLC0415  # loads prometheus_client

        return text(self._take(), openmetrics=chosen == _OPENMETRICS)


def _accept(scope: Scope) -> str:
    values = [value for name, value in scope["headers"] if name.lower() == b"accept"]
    return b",".join(values).decode("latin-1")


async def _live(receive: Receive, send: Send) -> None:
    """Start and stop at the server's wish, where this is its whole application."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
