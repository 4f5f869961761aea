"""Shutting down: readiness first, then the listener, then what has begun; and what is cut off."""

# ruff: noqa: ARG001, ARG002  # handlers take what they are given

import asyncio
import contextlib
import socket
import time

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse

from mist.server import Server, ServerError


async def hello(request):
    """Answer."""
    return PlainTextResponse("hello")


class Gate:
    """A handler that answers when it is let."""

    def __init__(self):
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.ended = None

    async def __call__(self, request):
        """Wait, and answer."""
        self.entered.set()
        try:
            await self.open.wait()
        except BaseException as exc:
            self.ended = type(exc).__name__
            raise
        return PlainTextResponse("through")


async def test_a_request_in_flight_is_finished_and_its_response_says_that_it_is_the_last(
    serve, connect
):
    """Nobody can connect meanwhile, and `shutdown` returns when it is answered."""
    gate = Gate()
    server = await serve({"/": gate})
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await gate.entered.wait()
    stopping = asyncio.create_task(server.shutdown())
    await asyncio.sleep(0.3)
    with pytest.raises(ConnectionRefusedError):
        await connect(server)
    assert not stopping.done()
    gate.open.set()
    answer = await client.answer()
    assert (answer.body, answer.keeps) == (b"through", False)
    assert await client.ended() == b""
    await asyncio.wait_for(stopping, 2)


async def test_a_body_that_is_arriving_arrives(serve, connect):
    """The request has begun, so it is finished."""

    async def echo(request):
        return PlainTextResponse(await request.body())

    server = await serve({"/": echo})
    client = await connect(server)
    await client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 4\n\nab")
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(server.shutdown())
    await asyncio.sleep(0.4)
    await client.send("cd")
    assert (await client.answer()).body == b"abcd"
    await stopping


async def test_what_takes_too_long_is_cut_off_and_cancelled(serve, connect, logger):
    """`shutdown` takes no longer than it was told."""
    gate = Gate()
    server = await serve({"/": gate}, shutdown_timeout=0.3, logger=logger)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await gate.entered.wait()
    start = time.monotonic()
    await server.shutdown()
    assert 0.2 < time.monotonic() - start < 2
    assert await client.ended() == b""
    assert gate.ended == "CancelledError"
    assert logger.of("warning") == [("requests were cut off", {"count": 1})]


async def test_a_handler_that_does_not_end_when_cancelled_is_left_behind(serve, connect, logger):
    """It holds nobody up, and is named in the log."""
    free = asyncio.Event()

    async def stubborn(request):
        while not free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await free.wait()
        return PlainTextResponse("late")

    server = await serve({"/": stubborn}, shutdown_timeout=0.1, logger=logger)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await asyncio.sleep(0.05)
    start = time.monotonic()
    await server.shutdown()
    assert time.monotonic() - start < 4
    assert logger.of("warning")[1] == ("handlers do not end when they are cancelled", {"count": 1})
    free.set()


async def test_a_response_that_the_client_never_reads_does_not_hold_it_up(serve, connect):
    """It is cut off with the rest."""

    async def endless():
        while True:
            yield b"x" * 65536

    async def handler(request):
        return StreamingResponse(endless())

    server = await serve({"/": handler}, shutdown_timeout=0.2)
    client = await connect(server)
    client.writer.transport.pause_reading()
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await asyncio.sleep(0.2)
    start = time.monotonic()
    await server.shutdown()
    assert time.monotonic() - start < 2


async def test_idle_connections_are_closed_soon_but_not_at_once(serve, connect):
    """A request that is on its way finds somebody."""
    server = await serve({"/": hello})
    late, silent, fresh = [await connect(server) for _ in range(3)]
    for client in (late, silent):
        await client.ask("GET", "/")
    start = time.monotonic()
    stopping = asyncio.create_task(server.shutdown())
    await asyncio.sleep(0.15)
    answers = [await client.ask("GET", "/") for client in (late, fresh)]
    assert [(a.body, a.keeps) for a in answers] == [(b"hello", False)] * 2
    assert await silent.ended() == b""
    await stopping
    assert time.monotonic() - start < 1.5


async def test_pipelined_requests_are_all_answered(serve, connect):
    """Only the last of them ends the connection."""
    gate = Gate()
    server = await serve({"/gate": gate, "/": hello})
    client = await connect(server)
    await client.send("GET /gate HTTP/1.1\nHost: x\n\n" + "GET / HTTP/1.1\nHost: x\n\n" * 3)
    await gate.entered.wait()
    stopping = asyncio.create_task(server.shutdown())
    await asyncio.sleep(0.1)
    gate.open.set()
    answers = [await client.answer() for _ in range(4)]
    assert [answer.body for answer in answers] == [b"through"] + [b"hello"] * 3
    assert [answer.keeps for answer in answers] == [True, True, True, False]
    await stopping


async def test_a_response_that_has_begun_does_not_end_its_connection_unannounced(serve, connect):
    """A client that was told to keep the connection may send the next request on it."""
    go = asyncio.Event()

    async def parts():
        yield b"first"
        await go.wait()
        yield b"second"

    async def handler(request):
        return StreamingResponse(parts())

    server = await serve({"/parts": handler, "/": hello})
    client = await connect(server)
    await client.send("GET /parts HTTP/1.1\nHost: x\n\n")
    await client.reader.readuntil(b"first\r\n")
    stopping = asyncio.create_task(server.shutdown())
    # About as long as idle connections are kept: this one has its time from its response on.
    await asyncio.sleep(0.2)
    go.set()
    await client.reader.readuntil(b"0\r\n\r\n")
    await asyncio.sleep(0.15)
    answer = await client.ask("GET", "/")
    assert (answer.body, answer.keeps) == (b"hello", False)
    await stopping


class Readiness:
    """Notes when it is told."""

    def __init__(self):
        self.told = []

    def set_ready(self, ready):
        """Be told."""
        self.told.append(ready)


async def test_readiness_fails_first_while_connections_are_still_accepted(serve, ask, connect):
    """For the drain delay; answers say already that their connection ends."""
    readiness = Readiness()
    server = await serve({"/": hello}, readiness=readiness, drain_delay=0.4)
    assert readiness.told == []
    stopping = asyncio.create_task(server.shutdown())
    await asyncio.sleep(0.1)
    assert readiness.told == [False]
    answer = await ask(server, "GET", "/")
    assert (answer.body, answer.keeps) == (b"hello", False)
    await stopping
    with pytest.raises(ConnectionRefusedError):
        await connect(server)


async def test_a_readiness_that_fails_does_not_keep_the_server_running(serve, logger):
    """It is logged."""

    class Broken:
        def set_ready(self, ready):
            raise ValueError("broken")

    server = await serve(readiness=Broken(), drain_delay=0, logger=logger)
    await server.shutdown()
    assert [msg for msg, _ in logger.of("exception")] == ["readiness cannot be told"]


async def test_the_drain_delay_is_there_where_readiness_is():
    """Three seconds, unless said otherwise: without readiness there is nobody to learn of it."""
    assert Server(":0")._drain_delay == 0
    assert Server(":0", readiness=Readiness())._drain_delay == 3
    assert Server(":0", readiness=Readiness(), drain_delay=0)._drain_delay == 0


async def test_connections_that_wait_to_be_accepted_are_served(serve):
    """Whoever has connected by the time that the listener closes has not done so in vain."""
    server = await serve({"/": hello})
    host, _, port = server.addr.rpartition(":")
    # The system lets them in while the event loop has no turn, until the shutdown has begun.
    clients = [socket.create_connection((host, int(port))) for _ in range(100)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await server.shutdown()
    for client in clients:
        with client, client.makefile("rb") as answer:
            assert answer.read().endswith(b"hello")


async def test_shutdown_is_idempotent_and_may_be_called_by_several(serve):
    """All of them return when it is done; later calls at once."""
    server = await serve({"/": hello})
    await asyncio.gather(*(server.shutdown() for _ in range(3)))
    start = time.monotonic()
    await server.shutdown()
    assert time.monotonic() - start < 0.1


async def test_a_caller_that_is_cancelled_leaves_the_shutdown_to_go_on(serve, connect):
    """The next one waits for the same."""
    gate = Gate()
    server = await serve({"/": gate}, shutdown_timeout=5)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await gate.entered.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await server.shutdown()
    gate.open.set()
    await server.shutdown()
    assert (await client.answer()).body == b"through"


async def test_a_handler_can_shut_its_server_down(connect):
    """It is answered first."""
    server = Server("127.0.0.1:0")

    @server.handle("POST /quit")
    async def leave(request):
        await server.shutdown()
        return PlainTextResponse("bye")

    serving = asyncio.create_task(server.serve())
    await until_listening(server)
    client = await connect(server)
    answer = await client.ask("POST", "/quit")
    assert (answer.body, answer.keeps) == (b"bye", False)
    await asyncio.wait_for(serving, 2)


async def until_listening(server):
    """Wait for a server that was started as a task."""
    async with asyncio.timeout(10):
        while server.addr.endswith(":0") or server._listener is None:
            await asyncio.sleep(0.01)


async def test_serve_returns_when_it_was_shut_down(connect):
    """Even where that was asked for before it began."""
    server = Server("127.0.0.1:0")
    await server.shutdown()
    await asyncio.wait_for(server.serve(), 5)
    server = Server("127.0.0.1:0")
    serving = asyncio.create_task(server.serve())
    await until_listening(server)
    await server.shutdown()
    await asyncio.wait_for(serving, 1)


async def test_a_cancelled_serve_finishes_what_has_begun(connect):
    """Without the drain delay; a second cancellation cuts it off."""
    for is_patient in (True, False):
        gate = Gate()
        server = Server("127.0.0.1:0", readiness=Readiness(), drain_delay=60)
        server.handle("/", gate)
        serving = asyncio.create_task(server.serve())
        await until_listening(server)
        client = await connect(server)
        await client.send("GET / HTTP/1.1\nHost: x\n\n")
        await gate.entered.wait()
        serving.cancel()
        await asyncio.sleep(0.1)
        assert not serving.done()
        if is_patient:
            gate.open.set()
            assert (await client.answer()).body == b"through"
        else:
            serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(serving, 2)
        if not is_patient:
            assert await client.ended() == b""
            await asyncio.sleep(0.05)
            assert gate.ended == "CancelledError"


async def test_a_lifespan_is_not_left_behind_when_a_shutdown_is_cut_off(connect):
    """Applications get their cancellation, and so can clean up; no task is left."""
    ended, gate = [], Gate()

    async def application(scope, receive, send):
        if scope["type"] != "lifespan":
            await gate(None)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            ended.append(True)

    server = Server("127.0.0.1:0")
    server.mount("/app", application)
    serving = asyncio.create_task(server.serve())
    await until_listening(server)
    client = await connect(server)
    await client.send("GET /app/ HTTP/1.1\nHost: x\n\n")
    await gate.entered.wait()
    serving.cancel()
    await asyncio.sleep(0.1)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(serving, 2)
    async with asyncio.timeout(5):
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)
    assert ended == [True]


async def test_a_server_serves_once(serve):
    """A second time is an error that says so."""
    server = await serve({"/": hello})
    with pytest.raises(ServerError, match="make another one") as caught:
        await server.serve()
    assert caught.value.code == "conflict"


async def test_the_address_is_free_afterwards(serve, ask):
    """The next server gets it at once."""
    first = await serve({"/": hello})
    await ask(first, "GET", "/")
    await first.shutdown()
    second = await serve({"/": hello}, addr=first.addr)
    assert second.addr == first.addr
    assert (await ask(second, "GET", "/")).body == b"hello"


async def test_no_task_outlives_the_server(connect):
    """Everything that was started has ended when `shutdown` returns."""
    before = asyncio.all_tasks()
    async with Server("127.0.0.1:0") as server:
        server.handle("/", hello)
        for _ in range(5):
            await (await connect(server)).ask("GET", "/")
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
