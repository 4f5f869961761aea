"""Clients that would keep the server busy: each is cut off, and the others are served."""

# ruff: noqa: ARG001  # handlers take what they are given

import asyncio
import contextlib
import socket
import ssl
import time

import pytest
from starlette.responses import PlainTextResponse, Response

# Real time throughout: deadlines are kept by the server under test, over real connections.


async def hello(request):
    """Answer."""
    return PlainTextResponse("hello")


async def echo(request):
    """Answer with the body's size."""
    return PlainTextResponse(str(len(await request.body())))


async def drip(client, data, pause):
    """Send a byte at a time, until the other side has had enough."""
    with contextlib.suppress(ConnectionError):
        for byte in data:
            await client.send(bytes([byte]))
            await asyncio.sleep(pause)


async def test_five_hundred_slow_clients_are_cut_off_while_a_good_one_is_served(
    serve, connect, ask
):
    """A byte now and then, in the head or in the body, keeps no connection."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    server = await serve({"/": echo}, header_timeout=1.0, body_timeout=1.0)
    heads = [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\r\n",
    ]
    drops = [b"", b"y", b"y", b"1\r\ny\r\n", b"\r\n"]

    async def slow(kind):
        client = await connect(server)
        start = time.monotonic()
        await client.send(heads[kind])

        async def go_on():
            with contextlib.suppress(ConnectionError):
                while True:
                    await asyncio.sleep(0.3)
                    await client.send(drops[kind])

        going_on = asyncio.create_task(go_on())
        data = await client.ended(within=30)
        going_on.cancel()
        return time.monotonic() - start, data

    clients = [asyncio.create_task(slow(n % 5)) for n in range(500)]
    await asyncio.sleep(0.5)
    waits = []
    while not all(client.done() for client in clients):
        start = time.monotonic()
        assert (await ask(server, "POST", "/", body=b"12345")).body == b"5"
        waits.append(time.monotonic() - start)
        await asyncio.sleep(0.02)
    ends = [client.result() for client in clients]
    assert {data[:12] for _, data in ends} == {b"HTTP/1.1 408"}
    # As soon as the deadline has passed, give or take how busy this machine is.
    assert max(took for took, _ in ends) < 10
    # Where the machine is busy itself, few requests of the good one fall into that time.
    assert min(waits) < 0.5


@pytest.mark.parametrize(
    "head", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 1000, b"\r\n" * 1000]
)
async def test_a_head_has_a_deadline_on_a_fresh_connection_and_on_a_kept_one(serve, connect, head):
    """Silence between requests is none of its business."""
    server = await serve({"/": hello}, header_timeout=0.3)
    for is_fresh in (True, False):
        client = await connect(server)
        if not is_fresh:
            assert (await client.ask("GET", "/")).body == b"hello"
            await asyncio.sleep(0.5)
            assert (await client.ask("POST", "/", body=b"a body")).body == b"hello"
            await asyncio.sleep(0.5)
        start = time.monotonic()
        dripping = asyncio.create_task(drip(client, head or b"G" * (not is_fresh), 0.02))
        assert (await client.answer()).status == 408
        assert 0.2 < time.monotonic() - start < 3
        assert await client.ended() == b""
        dripping.cancel()


async def test_a_slow_but_honest_upload_is_not_cut_off(serve, connect):
    """The deadline moves on with what arrives, as long as that is enough."""
    server = await serve({"/": echo}, body_timeout=0.2, min_rate=1000)
    client = await connect(server)
    await client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 10000\n\n")
    for _ in range(20):
        await client.send(b"x" * 500)
        await asyncio.sleep(0.05)
    assert (await client.answer()).body == b"10000"


async def test_a_handler_that_reads_slowly_costs_its_client_nothing(serve, connect):
    """What the server itself does not take counts for no deadline."""

    async def slow(request):
        size = 0
        await asyncio.sleep(0.5)
        async for chunk in request.stream():
            size += len(chunk)
            await asyncio.sleep(0.1)
        return PlainTextResponse(str(size))

    server = await serve({"/": slow}, body_timeout=0.2)
    client = await connect(server)
    size = 1 << 20
    await client.send(f"POST / HTTP/1.1\nHost: x\nContent-Length: {size}\n\n")
    client.writer.write(b"x" * size)
    assert (await client.answer()).body == str(size).encode()


async def test_a_body_that_nobody_reads_has_a_deadline_too(serve, connect):
    """The answer is given; then the connection ends, for the rest does not come."""
    server = await serve({"/": hello}, body_timeout=0.2)
    client = await connect(server)
    await client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 100\n\n1")
    assert (await client.answer()).body == b"hello"
    start = time.monotonic()
    assert await client.ended() == b""
    assert time.monotonic() - start < 4


@pytest.mark.parametrize("in_one", [True, False])
async def test_a_head_of_100_kb_is_431(serve, connect, in_one):
    """In one piece or in many: memory for heads is bounded."""
    server = await serve({"/": hello})
    client = await connect(server)
    head = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(
        b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(100)
    )
    with contextlib.suppress(ConnectionError):
        if in_one:
            await client.send(head + b"\r\n")
        else:
            for start in range(0, len(head), 1000):
                await client.send(head[start : start + 1000])
                await asyncio.sleep(0)
    answer = await client.answer()
    assert (answer.status, answer.keeps) == (431, False)


async def test_one_header_of_100_kb_is_431(serve, connect):
    """Also where it is the request's line."""
    server = await serve({"/": hello})
    for head in (b"GET /" + b"a" * 100_000, b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000):
        client = await connect(server)
        with contextlib.suppress(ConnectionError):
            await client.send(head)
        assert (await client.answer()).status == 431


async def test_an_idle_connection_is_closed_after_a_while(serve, connect):
    """Without a word, for a client would take a word for an answer."""
    server = await serve({"/": hello}, idle_timeout=0.2)
    client = await connect(server)
    assert (await client.ask("GET", "/")).body == b"hello"
    start = time.monotonic()
    assert await client.ended() == b""
    assert 0.1 < time.monotonic() - start < 3


def narrow(server):
    """Connect a client where neither system takes much that is not read."""
    # Accepted sockets have it from the one that listens; else Linux would take megabytes.
    server._listener._bound.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    sock.connect_ex(("127.0.0.1", int(server.addr.rpartition(":")[2])))
    return sock


@pytest.mark.parametrize("size", [50_000_000, 60_000])
async def test_a_client_that_does_not_read_is_cut_off(serve, size):
    """Whether the handler waits for it, or has long ended."""
    ended = asyncio.Event()

    async def large(request):
        ended.set()
        return Response(b"x" * size)

    server = await serve({"/": large}, write_timeout=0.3, idle_timeout=0.3)
    with narrow(server) as sock:
        await asyncio.sleep(0.1)
        for _ in range(1 if size > 1_000_000 else 200):
            with contextlib.suppress(BlockingIOError):
                sock.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await ended.wait()
        async with asyncio.timeout(10):
            while server._listener._service.shared.connections:
                await asyncio.sleep(0.05)


async def test_a_client_that_reads_slowly_is_served_to_the_end(serve):
    """The deadline moves on with what it takes."""

    async def large(request):
        return Response(b"x" * 500_000)

    server = await serve({"/": large}, write_timeout=0.3, min_rate=10_000)
    loop = asyncio.get_running_loop()
    with narrow(server) as sock:
        await asyncio.sleep(0.1)
        sock.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        size = 0
        while data := await loop.sock_recv(sock, 20_000):
            size += len(data)
            await asyncio.sleep(0.01)
    assert size > 500_000


async def test_a_client_that_has_read_slowly_can_ask_again(serve):
    """What it has taken in the end has no deadline any more."""
    size = 2_000_000

    async def large(request):
        return Response(bytes(size))

    server = await serve({"/": large}, write_timeout=0.2, min_rate=10_000)
    loop = asyncio.get_running_loop()
    with narrow(server) as sock:
        await asyncio.sleep(0.1)
        for _ in range(2):
            await loop.sock_sendall(sock, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            taken = 0
            async with asyncio.timeout(30):
                while taken < size:
                    taken += (await loop.sock_recv(sock, 20_000)).count(0)
            await asyncio.sleep(0.3)


async def test_connections_beyond_the_cap_are_turned_away(serve, connect, ask):
    """Those within it are served, and a place that becomes free is given again."""
    server = await serve({"/": hello}, max_connections=2)
    held = [await connect(server) for _ in range(2)]
    assert (await held[0].ask("GET", "/")).body == b"hello"
    for _ in range(3):
        answer = await ask(server, "GET", "/")
        assert (answer.status, answer.keeps) == (503, False)
        assert answer.headers["retry-after"] == "1"
    held[0].writer.close()
    await asyncio.sleep(0.05)
    assert (await ask(server, "GET", "/")).body == b"hello"


async def test_a_tls_handshake_that_never_comes_is_cut_off_and_counts_for_the_cap(
    serve, connect, authority
):
    """The head's deadline holds before TLS is spoken, too."""
    server = await serve(
        {"/": hello}, header_timeout=0.3, max_connections=2, cert_file=authority.both
    )
    held = [await connect(server) for _ in range(2)]
    await asyncio.sleep(0.05)
    start = time.monotonic()
    assert await (await connect(server)).ended() == b""
    assert time.monotonic() - start < 0.25
    for client in held:
        assert await client.ended() == b""
    context = ssl.create_default_context()
    authority.ca.configure_trust(context)
    client = await connect(server, ssl=context, server_hostname="localhost")
    assert (await client.ask("GET", "/")).body == b"hello"


async def test_a_server_without_descriptors_left_waits_for_some(serve, connect, logger):
    """Nobody is lost: who waits meanwhile is served afterwards, and the log tells of it."""
    resource = pytest.importorskip("resource")
    server = await serve({"/": hello}, logger=logger)
    host, _, port = server.addr.rpartition(":")
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # no number above 2 is given out
        try:
            await loop.sock_connect(client, (host, int(port)))
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(10):
                while not logger.of("warning"):
                    await asyncio.sleep(0.01)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        async with asyncio.timeout(10):
            assert (await loop.sock_recv(client, 100)).startswith(b"HTTP/1.1 200")
    assert logger.of("warning")[0][0] == "no connection can be accepted"


async def test_a_tls_handshake_that_never_comes_does_not_hold_up_the_end(serve, connect, authority):
    """Who has not even begun is cut off with the rest."""
    server = await serve(
        {"/": hello}, header_timeout=30, shutdown_timeout=0.1, cert_file=authority.both
    )
    client = await connect(server)
    await asyncio.sleep(0.05)
    await server.shutdown()
    assert await client.ended() == b""


async def test_long_heads_that_are_pipelined_are_each_within_the_limit(serve, connect):
    """A hundred heads of a kilobyte are no head of a hundred kilobytes, however they arrive."""
    server = await serve({"/": hello})
    client = await connect(server)
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Filling: " + b"y" * 1000 + b"\r\n\r\n"
    await client.send(request * 150 + request[:-1])
    await client.send(request[-1:])
    for _ in range(151):
        assert (await client.answer()).status == 200


async def test_pipelined_requests_wait_unread_while_others_are_answered(serve, connect):
    """However many a client sends without waiting, only so many are held, and all are answered."""
    server = await serve({"/": hello})
    client = await connect(server)
    # So long that what is read at once holds fewer than may wait.
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Filling: " + b"y" * 2000 + b"\r\n\r\n"
    asking = asyncio.create_task(client.send(request * 1000))
    for _ in range(1000):
        assert (await client.answer()).status == 200
    await asking
