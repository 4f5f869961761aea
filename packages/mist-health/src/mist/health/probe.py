"""A report over HTTP, as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from mist.health.accept import HEALTH_JSON, preferred
from mist.health.go_json import go_json
from mist.health.report import Report

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


class Probe:
    """An ASGI 3 application that answers GET and HEAD, at any path, with a report.

    Args:
        report: makes the report.
        details: whether to show what exceptions say.
    """

    def __init__(self, report: Callable[[], Awaitable[Report]], *, details: bool) -> None:
        self._report = report
        self._details = details

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await _serve_other(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(
                send,
                HTTPStatus.METHOD_NOT_ALLOWED,
                b"method not allowed\n",
                [(b"content-type", b"text/plain; charset=utf-8"), (b"allow", b"GET, HEAD")],
            )
            return
        report = await self._report()
        media_type = preferred(_accept(scope))
        told = report.to_health_dict if media_type == HEALTH_JSON else report.to_dict
        headers = [
            (b"content-type", media_type.encode()),
            (b"cache-control", b"no-store"),
            (b"vary", b"Accept"),
            *_age(report),
        ]
        await _answer(
            send,
            HTTPStatus.OK if report.ready else HTTPStatus.SERVICE_UNAVAILABLE,
            go_json(told(details=self._details)),
            headers,
            head=scope["method"] == "HEAD",
        )


def _accept(scope: Scope) -> str:
    return ",".join(v.decode("latin-1") for name, v in scope["headers"] if name == b"accept")


def _age(report: Report) -> list[Header]:
    """Tell the age of the oldest result, where a cache makes it more than a second."""
    age = int(max((each.age for each in report.checks.values()), default=0.0))
    return [(b"age", str(age).encode())] if age else []


async def _answer(
    send: Send, status: HTTPStatus, body: bytes, headers: list[Header], *, head: bool = False
) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status.value, "headers": [*headers, length]}
    )
    await send({"type": "http.response.body", "body": b"" if head else body})


async def _serve_other(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a server's lifespan events, and refuse what is not HTTP."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1003})
        return
    if scope["type"] != "lifespan":
        raise ValueError(f"cannot serve ASGI scope {scope['type']!r}: expected 'http'")
    for _ in ("startup", "shutdown"):
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
