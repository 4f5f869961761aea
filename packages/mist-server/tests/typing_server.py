"""What users write, checked by mypy and pyright and never run."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, assert_type

from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from mist.server import PatternError, Router, Server, ServerError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Readiness:
    """A readiness by its shape."""

    def set_ready(self, ready: bool) -> None:  # mist.health's form
        """Be told."""


class Logger:
    """A structural logger by its shape."""

    def debug(self, msg: object, /, **fields: object) -> None:
        """Log."""

    def info(self, msg: object, /, **fields: object) -> None:
        """Log."""

    def warning(self, msg: object, /, **fields: object) -> None:
        """Log."""

    def exception(self, msg: object, /, **fields: object) -> None:
        """Log."""


async def item(request: Request) -> Response:
    """Answer a request."""
    return JSONResponse(request.path_params)


async def narrower(request: Request) -> JSONResponse:
    """Answer a request with a certain kind of response."""
    return JSONResponse(request.path_params)


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as ASGI has it."""


def middleware(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> Starlette:
    """Wrap an application."""
    return Starlette(routes=[Mount("/", app=app)])


server = Server(
    ":0",
    middleware=[middleware, partial(GZipMiddleware, minimum_size=500)],
    logger=Logger(),
    access_log=True,
    readiness=Readiness(),
    drain_delay=1,
    cert_file=Path("cert.pem"),
    key_file="key.pem",
)
Server("unix:/run/x.sock", logger=logging.getLogger(), ssl_context=ssl.create_default_context())
assert_type(server.handle("/a", item), None)
server.handle("/b", narrower)
server.handle("/c", asgi)
server.handle("/d", Starlette())
server.handle("/e", Route("/e", item))
server.mount("/f", Starlette())


@server.handle("GET /g")
async def decorated(request: Request) -> JSONResponse:
    """Answer a request."""
    return JSONResponse(request.path_params)


async def serve() -> None:
    """Serve."""
    assert_type(await decorated(Request({"type": "http"})), JSONResponse)
    async with server as same:
        assert_type(same, Server)
        assert_type(same.addr, str)
        assert_type(same.url, str)
    await server.serve()
    await server.shutdown()


router = Router(middleware=[middleware], logger=Logger())
router.handle("/", item)
Starlette(routes=[Mount("/api", app=router), Mount("/server", app=server.app)])

try:
    server.listen_and_serve(loop_factory=asyncio.new_event_loop)
except PatternError as error:
    assert_type(error.code, str)
except ServerError as error:
    assert_type(error.retry_after, float | None)
