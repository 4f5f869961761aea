"""Whoever has a FastAPI application keeps it, and takes from mist what it lacks."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request

from mist import logging, trace
from mist.circuitbreaker import Breaker, CircuitOpenError
from mist.errors import http_status
from mist.health import Handler
from mist.metrics import Registry
from mist.protocol import Message
from mist.server import Server
from mist.transport import HTTP

TRACEPARENT = "00-12345678901234567890123456789012-1234567890123456-01"


class Lines:
    """A writer that keeps what is logged."""

    def __init__(self):
        self.lines = []

    def write(self, text):
        """Keep a line."""
        self.lines.append(json.loads(text))


@pytest.fixture
def lines():
    """What the application has logged."""
    return Lines()


@pytest.fixture
def spans():
    """The spans that have ended."""
    ended = []
    handle = trace.add_sink(ended.append)
    yield ended
    handle.remove()


@pytest.fixture
def app(lines):
    """An application with routes of its own, and with mist's beside them."""
    log = logging.new("shop", writer=lines)
    metrics = Registry()
    breaker = Breaker(threshold=1, timeout=3600, name="stock")
    health = Handler("shop", "1.0")
    health.add_check("stock", breaker.to_health(), critical=False)
    inbox = HTTP()

    @asynccontextmanager
    async def lifespan(app):
        async with inbox:
            app.state.inbox = inbox
            yield

    app = FastAPI(lifespan=lifespan)

    async def span(request: Request):
        route = request.scope["route"].path
        with trace.extract_http(request.scope["headers"], f"{request.method} {route}") as span:
            yield span

    @app.get("/items/{item}", dependencies=[Depends(span)])
    async def items(item: int):
        with metrics.histogram("items_ms").time():
            log.info("asked", item=item)
            try:
                return await breaker.do(lambda: stock(item))
            except CircuitOpenError as exc:
                raise HTTPException(http_status(exc.code), str(exc)) from exc
            except LookupError as exc:
                raise HTTPException(404, str(exc)) from exc

    async def stock(item):
        await asyncio.sleep(0)
        if item == 0:
            raise LookupError("no such item")
        return {"item": item, "trace": trace.trace_id()}

    app.add_route("/healthz", health.liveness())
    app.add_route("/readyz", health.readiness())
    app.add_route("/metricsz", metrics.handler())
    app.mount("/inbox", inbox.asgi)
    return app


@pytest.fixture
async def ask(app):
    """Ask the application, served by uvicorn; the result is the status and the body."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with aiohttp.ClientSession(url) as session:

        async def ask(path, method="GET", **options):
            async with session.request(method, path, **options) as response:
                text = await response.text()
                return response.status, json.loads(text) if text else None

        ask.url = url
        yield ask
    server.should_exit = True
    await serving


async def test_its_routes_have_traces_logs_and_metrics(ask, lines, spans):
    """The caller's trace goes through the dependency into the handler and the log."""
    status, body = await ask("/items/7", headers={"traceparent": TRACEPARENT})
    assert (status, body["item"]) == (200, 7)
    assert body["trace"] == "12345678901234567890123456789012"
    (line,) = lines.lines
    assert (line["msg"], line["item"], line["trace_id"]) == ("asked", 7, body["trace"])
    (span,) = spans
    assert (span.operation, span.status) == ("GET /items/{item}", "ok")
    assert line["span_id"] == span.span_id
    _, metrics = await ask("/metricsz")
    assert metrics["histograms"]["items_ms"]["count"] == 1


async def test_a_breaker_feeds_its_readiness(ask):
    """Without stock it is degraded and goes on taking requests, which fail at once."""
    assert (await ask("/readyz"))[1]["status"] == "ok"
    assert (await ask("/items/0"))[0] == 404
    status, body = await ask("/items/1")
    assert (status, body["detail"][:11]) == (503, "unavailable")
    status, ready = await ask("/readyz")
    assert (status, ready["status"]) == (200, "degraded")
    assert "circuit 'stock' is open" in ready["checks"]["stock"]
    assert (await ask("/healthz"))[0] == 200
    assert (await ask("/healthz", "HEAD"))[0] == 200


async def test_it_takes_messages_beside_its_routes(ask, app):
    """The inbox of a transport is mounted like any application."""
    message = Message.new("matchspec", "acme.item", {"n": 1})
    async with HTTP(f"{ask.url}/inbox/mist") as sender:
        await sender.send(message)
    assert await app.state.inbox.receive() == message


async def test_mist_server_serves_it_whole(app):
    """The same application behind mist.server: its lifespan, its routes, beside ours."""

    async def own(request):
        from starlette.responses import PlainTextResponse

        return PlainTextResponse(f"own {request.path_params['name']}")

    server = Server("127.0.0.1:0")
    server.handle("/", app)
    server.handle("GET /own/{name}", own)
    async with server, aiohttp.ClientSession(server.url) as session:
        async with session.get("/items/7") as response:
            assert (await response.json())["item"] == 7
        async with session.get("/own/x") as response:
            assert await response.text() == "own x"
        async with session.get("/openapi.json") as response:
            assert "/items/{item}" in (await response.json())["paths"]
        assert app.state.inbox is not None
