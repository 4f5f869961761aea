"""The endpoints as web servers and clients meet them."""

import asyncio
import json
import threading

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from mist.health import Handler


@pytest.fixture
def handler():
    """A handler with one check that works."""
    handler = Handler("tokentrace", "2.0.0")
    handler.add_check("disk", lambda: None)
    return handler


@pytest.fixture
def app(handler):
    """Both endpoints in a web application."""
    return Starlette(
        routes=[Route("/healthz", handler.liveness()), Route("/readyz", handler.readiness())]
    )


async def test_both_endpoints_are_served_by_a_real_server(serve, fetch, handler, app):
    """200 while all is well, 503 for readiness alone when it is not."""
    port = await serve(app)
    alive, ready = await fetch(port, "/healthz"), await fetch(port, "/readyz")
    assert (alive.status, json.loads(alive.body)["status"]) == (200, "ok")
    assert (ready.status, json.loads(ready.body)["checks"]) == (200, {"disk": "ok"})
    handler.set_ready(False)
    alive, ready = await fetch(port, "/healthz"), await fetch(port, "/readyz")
    assert (alive.status, ready.status) == (200, 503)


async def test_an_endpoint_is_an_application_of_its_own(serve, fetch, handler):
    """With a server's startup and shutdown, and at any path."""
    port = await serve(handler.readiness(), lifespan="on")
    assert (await fetch(port, "/any/path?at=all")).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("accept", ["*/*", "application/health+json"])
async def test_head_has_the_headers_of_get_and_no_body(serve, fetch, app, path, accept):
    """The length is that of the body that GET would have."""
    port = await serve(app)
    got = await fetch(port, path, Accept=accept)
    head = await fetch(port, path, "HEAD", Accept=accept)
    for answer in (got, head):
        answer.headers.pop("date")
    assert (head.status, head.body) == (got.status, b"")
    if accept == "*/*":  # the draft's form has times, which differ
        assert head.headers == got.headers
    assert head.headers["content-type"] == got.headers["content-type"]
    assert int(got.headers["content-length"]) == len(got.body) > 0
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["vary"] == "Accept"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_allowed(serve, fetch, app, method):
    """The answer names those that are, and no check runs."""
    answer = await fetch(await serve(app), "/readyz", method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


async def test_the_form_is_chosen_by_the_accept_header(serve, fetch, app):
    """With quality values, over however many headers of that name."""
    port = await serve(app)
    kinds = {
        "application/json": "application/json",
        "application/health+json": "application/health+json",
        "application/health+json;q=0.5, application/json;q=0.8": "application/json",
        "text/html": "application/json",
    }
    for accept, kind in kinds.items():
        assert (await fetch(port, "/readyz", Accept=accept)).headers["content-type"] == kind


async def test_several_accept_headers_are_one_list(ask, handler):
    """As HTTP has it for every list."""
    headers = [(b"accept", b"text/html;q=0.9"), (b"accept", b"application/health+json")]
    answer = await ask(handler.readiness(), headers=headers)
    assert answer.headers["content-type"] == "application/health+json"


async def test_headers_that_are_no_text_are_no_error(ask, handler):
    """Nor are those of 100 kB."""
    for accept in (b"\xff\xfe\x00", b"a" * 100_000):
        assert (await ask(handler.readiness(), headers=[(b"accept", accept)])).status == 200


@pytest.fixture
def counted():
    """Wrap an application so that its requests are counted in `counted.requests`."""

    def wrap(app):
        async def count(scope, receive, send):
            if scope["type"] == "http":
                wrap.requests += 1
            await app(scope, receive, send)

        return count

    wrap.requests = 0
    return wrap


async def test_a_client_that_goes_away_takes_nothing_along(serve, fetch, counted):
    """The check goes on for the client that stays."""
    let_go = threading.Event()
    calls = []

    def check():
        calls.append(1)
        let_go.wait(10)

    handler = Handler("tokentrace", "2.0.0")
    handler.add_check("disk", check, timeout=30)
    port = await serve(counted(handler.readiness()))
    _, impatient = await asyncio.open_connection("127.0.0.1", port)
    impatient.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while not calls:
        await asyncio.sleep(0.001)
    patient = asyncio.create_task(fetch(port))
    impatient.transport.abort()
    while counted.requests < 2:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    let_go.set()
    assert json.loads((await patient).body)["checks"] == {"disk": "ok"}
    assert calls == [1]


async def test_many_probes_at_once_are_answered_by_one_run(serve, fetch, counted):
    """Over real connections."""
    calls = []

    async def check():
        calls.append(1)
        while counted.requests < 20:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)

    handler = Handler("tokentrace", "2.0.0")
    handler.add_check("database", check, timeout=30)
    port = await serve(counted(handler.readiness()))
    answers = await asyncio.gather(*(fetch(port) for _ in range(20)))
    assert {each.status for each in answers} == {200}
    assert calls == [1]


async def test_a_websocket_is_refused_politely(handler):
    """It is closed, and the server's log stays clean."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(event):
        sent.append(event)

    await handler.readiness()({"type": "websocket", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1003}]


async def test_lifespan_events_are_answered(handler):
    """Startup, then shutdown."""
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive():
        return events.pop(0)

    async def send(event):
        sent.append(event["type"])

    await handler.liveness()({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_an_unknown_kind_of_connection_is_an_error(handler):
    """As the ASGI specification asks for."""
    with pytest.raises(ValueError, match="cannot serve ASGI scope 'carrier-pigeon'"):
        await handler.liveness()({"type": "carrier-pigeon"}, None, None)
