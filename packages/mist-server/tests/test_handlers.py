"""What can be registered, how it is told apart, and what reaches it."""

# ruff: noqa: ARG001, ARG002, ARG005  # handlers take what they are given

import asyncio
import contextvars
import functools

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from mist.server import Router, ServerError


async def of_request(request):
    """Answer a request."""
    return PlainTextResponse("request")


async def of_request_with_more(request, *, extra="more", **others):
    """Answer a request; what else there is has a default."""
    return PlainTextResponse("request")


async def of_asgi(scope, receive, send):
    """Answer as ASGI has it."""
    await PlainTextResponse("asgi")(scope, receive, send)


def of_asgi_without_async(scope, receive, send):
    """Answer as ASGI has it, by handing it on."""
    return of_asgi(scope, receive, send)


class Callable:
    """Objects and their methods."""

    async def __call__(self, request):
        """Answer a request."""
        return PlainTextResponse("request")

    async def asgi(self, scope, receive, send):
        """Answer as ASGI has it."""
        await of_asgi(scope, receive, send)


class Endpoint(HTTPEndpoint):
    """A class whose instances are awaited."""

    async def get(self, request):
        """Answer a request."""
        return PlainTextResponse("asgi")


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (of_request, b"request"),
        (of_request_with_more, b"request"),
        (functools.partial(of_request_with_more, extra="x"), b"request"),
        (Callable(), b"request"),
        (functools.partial(Callable()), b"request"),
        (of_asgi, b"asgi"),
        (of_asgi_without_async, b"asgi"),
        (Callable().asgi, b"asgi"),
        (Endpoint, b"asgi"),
        (Route("/x", of_request), b"request"),
        (Mount("", app=of_asgi), b"asgi"),
        (Starlette(routes=[Route("/x", of_request)]), b"request"),
        (PlainTextResponse("response"), b"response"),
    ],
)
async def test_handlers_and_applications_are_told_apart(serve, ask, handler, says):
    """By the arguments that a call needs: a request, or scope, receive and send."""
    server = await serve({"GET /x": handler})
    assert (await ask(server, "GET", "/x")).body == says


def test_a_handler_can_be_registered_by_a_decorator():
    """It stays what it is."""
    router = Router()

    @router.handle("/a")
    async def handler(request):
        return PlainTextResponse("a")

    assert asyncio.iscoroutinefunction(handler)
    with pytest.raises(ServerError, match="conflicts"):
        router.handle("/a", handler)


@pytest.mark.parametrize(
    ("handler", "remedy"),
    [
        (lambda request: PlainTextResponse("a"), "declare it `async def`"),
        (lambda: None, "it takes 0 arguments; expected `async def handler"),
        (lambda a, b: None, "it takes 2 arguments"),
        (lambda *args: None, "name its arguments"),
        ("handler", "it cannot be called"),
        (dict, "its arguments are not known"),
    ],
)
def test_what_is_neither_is_refused_with_the_remedy(handler, remedy):
    """At registration, not at the first request."""
    with pytest.raises(ServerError) as caught:
        Router().handle("/", handler)
    assert remedy in str(caught.value)
    assert caught.value.code == "validation"


async def test_a_return_value_that_is_no_response_is_named_in_the_log(serve, ask, logger):
    """The client hears nothing of it."""

    async def handler(request):
        return {"a": 1}

    server = await serve({"/": handler}, logger=logger)
    errors = []
    logger.exception = lambda msg, **fields: errors.append(__import__("sys").exc_info()[1])
    assert (await ask(server, "GET", "/")).status == 500
    assert "returned dict, not a Response" in str(errors[0])


async def test_the_scope_is_that_of_asgi(serve, ask):
    """Address, scheme and headers are those of the connection; no proxy is believed."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await of_asgi(scope, receive, send)

    server = await serve({"/": app})
    await ask(server, "GET", "/a%20b?q=1", headers=["X-Forwarded-For: 9.9.9.9", "X-Dup: 1"])
    (scope,) = [scope for scope in scopes if scope["type"] == "http"]
    assert scope["client"][0] == "127.0.0.1"
    assert f"{scope['server'][0]}:{scope['server'][1]}" == server.addr
    assert (scope["scheme"], scope["root_path"], scope["http_version"]) == ("http", "", "1.1")
    assert (scope["path"], scope["raw_path"]) == ("/a b", b"/a%20b")
    assert scope["query_string"] == b"q=1"
    assert (b"x-dup", b"1") in scope["headers"]
    assert scope["asgi"]["version"] == "3.0"
    assert scope["state"] == {}


async def test_context_flows_from_middleware_to_handler_and_no_further(serve, connect):
    """A span that a middleware opens is current in the handler, and not in the next request."""
    current = contextvars.ContextVar("current", default="nothing")

    def tracing(app):
        async def traced(scope, receive, send):
            before = current.get()
            current.set(f"{before} then {scope['path']}")
            await app(scope, receive, send)

        return traced

    async def handler(request):
        return PlainTextResponse(current.get())

    server = await serve({"/": handler}, middleware=[tracing])
    client = await connect(server)
    assert (await client.ask("GET", "/1")).body == b"nothing then /1"
    assert (await client.ask("GET", "/2")).body == b"nothing then /2"


async def test_the_first_middleware_is_the_outermost(serve, ask):
    """They see the response that a handler's failure becomes."""
    seen = []

    def noting(name):
        def layer(app):
            async def wrapped(scope, receive, send):
                async def noted(message):
                    if message["type"] == "http.response.start":
                        seen.append((name, message["status"]))
                    await send(message)

                await app(scope, receive, noted)

            return wrapped

        return layer

    server = await serve(middleware=[noting("outer"), noting("inner")])
    assert (await ask(server, "GET", "/")).status == 404
    assert seen == [("inner", 404), ("outer", 404)]


async def test_bodies_are_read_and_streams_are_sent(serve, ask):
    """In pieces, both ways, more than buffers hold."""

    async def echo(request: Request):
        async def doubled():
            async for chunk in request.stream():
                yield chunk + chunk

        return StreamingResponse(doubled())

    server = await serve({"POST /": echo})
    body = bytes(range(256)) * 4096
    answer = await ask(server, "POST", "/", body=body)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert len(answer.body) == 2 * len(body)


async def test_the_head_of_a_stream_does_not_wait_for_its_first_part(serve, connect):
    """Who opens a stream of events knows that it is open before the first event."""
    go = asyncio.Event()

    async def events():
        await go.wait()
        yield "data: 1\n\n"

    async def handler(request):
        return StreamingResponse(events(), media_type="text/event-stream")

    server = await serve({"/": handler})
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    async with asyncio.timeout(5):
        head = await client.reader.readuntil(b"\r\n\r\n")
    assert b"text/event-stream" in head
    go.set()
    assert b"data: 1" in await client.reader.readuntil(b"0\r\n\r\n")


async def test_requests_in_one_packet_are_answered_in_order(serve, connect):
    """Pipelining works, and a slow first one does not let the second overtake."""

    async def handler(request):
        if request.url.path == "/0":
            await asyncio.sleep(0.05)
        return PlainTextResponse(request.url.path)

    server = await serve({"/": handler})
    client = await connect(server)
    await client.send("".join(f"GET /{n} HTTP/1.1\nHost: x\n\n" for n in range(20)))
    for number in range(20):
        assert (await client.answer()).body == f"/{number}".encode()


async def test_a_background_task_runs_after_the_response(serve, ask):
    """The client does not wait for it, and the next request on the connection does not either."""
    go, done = asyncio.Event(), asyncio.Event()

    async def work():
        await go.wait()
        done.set()

    async def handler(request):
        return PlainTextResponse("ok", background=BackgroundTask(work))

    server = await serve({"/": handler})
    assert (await ask(server, "GET", "/")).body == b"ok"
    go.set()
    await asyncio.wait_for(done.wait(), 5)


async def test_a_client_that_goes_away_is_told_by_receive(serve, connect):
    """The handler is not cancelled: as ASGI has it, it learns of it when it asks."""
    events = []
    waiting, told = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            return
        events.append((await receive())["type"])
        waiting.set()
        events.append((await receive())["type"])
        told.set()

    server = await serve({"/": app})
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await waiting.wait()
    client.writer.close()
    await asyncio.wait_for(told.wait(), 5)
    assert events == ["http.request", "http.disconnect"]


async def test_a_client_that_goes_away_ends_every_request_that_it_sent(serve, connect):
    """Also the first, where a second one was waiting for its turn behind it."""
    ended = asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.set()

    server = await serve({"/": app})
    client = await connect(server)
    await client.send("GET /1 HTTP/1.1\nHost: x\n\nGET /2 HTTP/1.1\nHost: x\n\n")
    await asyncio.sleep(0.05)
    client.writer.close()
    await asyncio.wait_for(ended.wait(), 5)


async def test_sending_to_a_client_that_is_gone_is_an_error(serve, connect, logger):
    """ASGI has it so since HTTP 2.4; a stream without end ends, and nothing of it is logged."""
    ended = asyncio.Event()

    async def endless():
        try:
            while True:
                yield b"more"
                await asyncio.sleep(0)
        finally:
            ended.set()

    async def handler(request):
        return StreamingResponse(endless())

    server = await serve({"/": handler}, logger=logger)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await client.reader.readuntil(b"more")
    client.writer.transport.abort()
    await asyncio.wait_for(ended.wait(), 5)
    await server.shutdown()
    assert logger.lines == []
