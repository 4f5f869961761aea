"""The receiver mounted in somebody else's web application."""

import asyncio
import contextlib

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from mist.protocol import Message
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.http import HTTP


def message():
    """Make a message."""
    return Message.new("test", "acme.number", {"number": 1})


async def test_it_is_a_route_and_a_mount_of_a_starlette_application(http, web_app):
    """Whatever path the application gives it, batches included; the rest stays the application's."""
    inbox = HTTP()
    closed = []

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        async with inbox:
            yield
        closed.append(True)

    async def home(_request):
        return PlainTextResponse("home")

    app = Starlette(
        routes=[
            Route("/", home),
            Route("/mist", endpoint=inbox.asgi, methods=None),
            Route("/hooks/{name}", endpoint=inbox.asgi, methods=None),
            Mount("/inbox", app=inbox.asgi),
        ],
        lifespan=lifespan,
    )
    base = await web_app(app)
    for path in ("", "/mist", "/hooks/any", "/inbox/", "/inbox/mist"):
        sender = await http(base + path)
        for _ in range(2):
            sent = [message() for _ in range(5)]
            await asyncio.gather(*map(sender.send, sent))
            received = [await inbox.receive() for _ in sent]
            assert {m.id for m in received} == {m.id for m in sent}
    async with aiohttp.ClientSession() as client, client.get(base) as answer:
        assert await answer.text() == "home"
    async with aiohttp.ClientSession() as client, client.get(base + "/mist") as answer:
        assert answer.status == 405
    assert not closed


async def test_a_length_that_another_server_lets_through_is_too_long(http):
    """Python itself converts only so many digits."""
    inbox = await http()
    answers = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(event):
        answers.append(event)

    headers = [(b"content-length", b"9" * 5000)]
    scope = {"type": "http", "method": "POST", "path": "/mist", "headers": headers}
    await inbox.asgi(scope, receive, send)
    assert answers[0]["status"] == 413


async def test_it_is_an_application_of_its_own_with_a_lifespan(http, web_app):
    """Served by itself it keeps to its path."""
    inbox = await http()
    base = await web_app(inbox.asgi)
    sender = await http(base)
    sent = message()
    await sender.send(sent)
    assert await inbox.receive() == sent
    elsewhere = await http(base + "/elsewhere")
    with pytest.raises(TransportError) as caught:
        await elsewhere.send(message())
    assert caught.value.code == "not_found"


async def test_a_closed_transport_that_is_still_mounted_is_unavailable(http, web_app):
    """Nothing is answered 202 that nobody can receive."""
    inbox = await http()
    sender = await http(await web_app(inbox.asgi))
    await sender.send(message())
    await inbox.close()
    with pytest.raises(TransportError) as caught:
        await sender.send(message())
    assert caught.value.code == "unavailable"
    await inbox.receive()
    with pytest.raises(TransportClosed):
        await inbox.receive()


@pytest.mark.parametrize(
    ("root", "path", "status"),
    [
        ("/api", "/api", 202),
        ("/api", "/api/", 202),
        ("/api", "/api/mist", 202),
        ("/api", "/api/other", 404),
        ("", "/", 404),
        ("/mist", "/mist", 202),
    ],
)
async def test_a_dispatcher_that_sets_root_path_mounts_it_too(http, root, path, status):
    """ASGI's own way of mounting, without a framework."""
    inbox = await http()
    scope = {"type": "http", "method": "POST", "path": path, "root_path": root, "headers": []}
    sent = []

    async def receive():
        return {"type": "http.request", "body": message().marshal()}

    async def send(event):
        sent.append(event)

    await inbox.asgi(scope, receive, send)
    assert sent[0]["status"] == status


async def test_a_websocket_is_refused_and_an_unknown_scope_is_an_error(http):
    """Only HTTP carries messages."""
    inbox = await http()
    sent = []

    async def send(event):
        sent.append(event)

    await inbox.asgi({"type": "websocket"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1003}]
    with pytest.raises(ValueError, match="ftp"):
        await inbox.asgi({"type": "ftp"}, None, send)
