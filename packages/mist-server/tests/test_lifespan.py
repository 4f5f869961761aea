"""What applications want to do before they serve, and after."""

# ruff: noqa: ARG001  # handlers and lifespans take what they are given

import asyncio
import contextlib

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mist.server import Router, Server, ServerError


def application(name, events, *, fails=None):
    """Make an application that notes its start and end, and keeps its name for its requests."""

    @contextlib.asynccontextmanager
    async def lifespan(app):
        if fails == "start":
            raise ValueError(f"{name} has no database")
        events.append(f"{name} starts")
        yield {"name": name}
        events.append(f"{name} ends")
        if fails == "end":
            raise ValueError(f"{name} cannot flush")

    async def who(request):
        return PlainTextResponse(request.state.name)

    return Starlette(routes=[Route("/who", who)], lifespan=lifespan)


async def test_lifespans_are_run_in_order_and_ended_in_reverse(ask):
    """Once for each application, and each has the state of its own."""
    events = []
    first, second = application("first", events), application("second", events)
    server = Server("127.0.0.1:0")
    server.handle("/who", first)
    server.handle("GET first.com/", first)
    server.mount("/second", second)
    async with server:
        assert events == ["first starts", "second starts"]
        assert (await ask(server, "GET", "/who")).body == b"first"
        assert (await ask(server, "GET", "/second/who")).body == b"second"
    assert events == ["first starts", "second starts", "second ends", "first ends"]


async def test_an_application_that_cannot_start_keeps_the_server_from_it(tmp_path):
    """The error says which and why; those that had started are ended, and the socket is gone."""
    events = []
    server = Server(f"unix:{tmp_path}/server.sock")
    server.handle("/a", application("first", events))
    server.handle("/b", application("second", events, fails="start"))
    with pytest.raises(ServerError, match="second has no database"):
        await server.serve()
    assert events == ["first starts", "first ends"]
    assert list(tmp_path.iterdir()) == []
    assert len(asyncio.all_tasks()) == 1


async def test_an_application_that_does_not_end_well_is_an_error_at_the_end():
    """The others are ended all the same."""
    events = []
    server = Server("127.0.0.1:0")
    server.handle("/a", application("first", events))
    server.handle("/b", application("second", events, fails="end"))
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        with pytest.raises(ServerError, match="second cannot flush"):
            await server.shutdown()
        with pytest.raises(ServerError):
            await stack.aclose()
    assert events[-2:] == ["second ends", "first ends"]


async def test_an_application_that_takes_too_long_to_end_is_left(logger):
    """As long as requests may take, and no longer."""

    @contextlib.asynccontextmanager
    async def lifespan(app):
        yield
        await asyncio.sleep(60)

    server = Server("127.0.0.1:0", shutdown_timeout=0.2, logger=logger)
    server.handle("/", Starlette(lifespan=lifespan))
    async with asyncio.timeout(5), server:
        pass
    assert logger.of("warning") == [("an application did not end in time", {})]


async def raising(scope, receive, send):
    """Know only http, and say so."""
    assert scope["type"] == "http"
    await PlainTextResponse("http")(scope, receive, send)


async def returning(scope, receive, send):
    """Know only http, and do nothing else."""
    if scope["type"] == "http":
        await PlainTextResponse("http")(scope, receive, send)


async def mistaking(scope, receive, send):
    """Take whatever comes for a request."""
    await PlainTextResponse("http")(scope, receive, send)


async def reading(scope, receive, send):
    """Take whatever comes for a request, and read it first."""
    while (await receive()).get("more_body", True):
        pass
    await PlainTextResponse("http")(scope, receive, send)


@pytest.mark.parametrize("app", [raising, returning, mistaking, reading])
async def test_an_application_without_a_lifespan_is_served(serve, ask, app):
    """However it shows that it has none."""
    server = await serve({"/": app})
    assert (await ask(server, "GET", "/")).body == b"http"


async def test_a_router_runs_the_lifespans_under_any_server():
    """It is an ASGI application with a lifespan itself."""
    events, sent = [], []
    router = Router()
    router.handle("/", application("first", events))
    told = asyncio.Queue()

    async def send(message):
        sent.append(message["type"])

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
    running = asyncio.create_task(router(scope, told.get, send))
    await told.put({"type": "lifespan.startup"})
    await asyncio.sleep(0.05)
    assert (events, sent) == (["first starts"], ["lifespan.startup.complete"])
    await told.put({"type": "lifespan.shutdown"})
    await running
    assert events == ["first starts", "first ends"]
    assert sent[1:] == ["lifespan.shutdown.complete"]


async def test_a_middleware_may_have_a_lifespan_too(serve, ask):
    """Those around the applications see the lifespan, as middlewares of ASGI do."""
    seen = []

    def noting(app):
        async def wrapped(scope, receive, send):
            seen.append(scope["type"])
            await app(scope, receive, send)

        return wrapped

    server = await serve({"/": returning}, middleware=[noting])
    await ask(server, "GET", "/")
    assert seen == ["lifespan", "http"]


async def test_an_application_that_answers_twice_is_started_once(serve, ask):
    """What it says beyond its answer is not taken for one to something else."""

    async def eager(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            for _ in range(2):
                await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await PlainTextResponse("eager")(scope, receive, send)

    server = await serve({"/": eager})
    assert (await ask(server, "GET", "/")).body == b"eager"
    await server.shutdown()
