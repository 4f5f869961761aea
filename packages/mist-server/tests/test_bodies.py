"""Bodies of requests: their limit, and what is not as HTTP has it."""

# ruff: noqa: ARG001  # handlers take what they are given

import asyncio
import json

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

LIMIT = 1000


async def echo(request):
    """Answer with the body's size."""
    return JSONResponse(len(await request.body()))


async def unread(request):
    """Answer without looking at the body."""
    return PlainTextResponse("early")


def chunked(*parts):
    """Return a request's chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


CHUNKED_HEAD = "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n"


async def test_a_body_up_to_the_limit_is_taken(serve, ask, connect):
    """With its length announced, and in chunks."""
    server = await serve({"/": echo}, max_body_size=LIMIT)
    assert (await ask(server, "POST", "/", body=b"x" * LIMIT)).body == b"1000"
    client = await connect(server)
    await client.send(CHUNKED_HEAD)
    await client.send(chunked(b"x" * 600, b"x" * 400, b""))
    assert (await client.answer()).body == b"1000"


async def test_a_length_with_zeros_in_front_is_that_length(serve, connect, caplog):
    """More of them than Python converts digits are no reason to fail."""
    server = await serve({"/": echo}, max_body_size=LIMIT)
    client = await connect(server)
    await client.send(f"POST / HTTP/1.1\nHost: x\nContent-Length: {'0' * 5000}3\n\nabc")
    assert (await client.answer()).body == b"3"
    assert caplog.text == ""


async def test_a_body_announced_too_large_is_413_before_the_handler_is_called(serve, connect):
    """Also for a handler that would not read it; the connection ends."""
    called = []

    async def handler(request):
        called.append(request)
        return PlainTextResponse("called")

    server = await serve({"/": handler}, max_body_size=LIMIT)
    client = await connect(server)
    await client.send(f"POST / HTTP/1.1\nHost: x\nContent-Length: {LIMIT + 1}\n\n")
    answer = await client.answer()
    assert (answer.status, answer.keeps, called) == (413, False, [])
    assert json.loads(answer.body)["detail"] == "the body is over the limit of 1000 bytes"
    assert await client.ended() == b""


async def test_a_body_that_never_ends_is_413_as_soon_as_it_is_too_large(serve, connect):
    """The handler has not read all of it, and learns that the client is gone."""
    ends = []

    async def handler(request):
        try:
            return PlainTextResponse(str(len(await request.body())))
        except Exception as exc:
            ends.append(type(exc).__name__)
            raise

    server = await serve({"/": handler}, max_body_size=LIMIT)
    client = await connect(server)
    await client.send(CHUNKED_HEAD)
    sending = asyncio.create_task(drip(client, chunked(b"x" * 100), 0.0))
    assert (await client.answer()).status == 413
    sending.cancel()
    assert ends == ["ClientDisconnect"]


async def drip(client, data, pause):
    """Send something again and again, until nobody takes it."""
    try:
        while True:
            await client.send(data)
            await asyncio.sleep(pause)
    except ConnectionError:
        pass


async def test_a_large_body_gets_its_answer_even_from_a_client_that_only_sends(serve, connect):
    """The answer is not lost in a reset, though nobody reads the body to its end."""
    server = await serve({"/": unread}, max_body_size=64 << 20)
    for head in ("Connection: close\n", "Expect: 100-continue\n"):
        client = await connect(server)
        size = 8 << 20
        await client.send(f"POST / HTTP/1.1\nHost: x\n{head}Content-Length: {size}\n\n")
        client.writer.write(b"x" * size)
        answer = await client.answer()
        assert (answer.status, answer.body, answer.keeps) == (200, b"early", False)


async def test_a_body_that_the_handler_leaves_unread_does_not_hold_up_the_next_request(
    serve, connect
):
    """It is read and dropped, and bounded as any."""
    server = await serve({"/": unread}, max_body_size=LIMIT)
    client = await connect(server)
    await client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\n12345")
    assert (await client.answer()).body == b"early"
    await client.send("67890GET / HTTP/1.1\nHost: x\n\n")
    assert (await client.answer()).body == b"early"
    await client.send(CHUNKED_HEAD)
    assert (await client.answer()).body == b"early"
    await client.send(chunked(b"x" * (LIMIT + 1)))
    assert await client.ended() == b""


async def test_who_waits_for_the_go_ahead_gets_it_when_the_handler_reads(serve, connect):
    """`Expect: 100-continue`: no body travels that nobody wants."""
    server = await serve({"/read": echo, "/leave": unread}, max_body_size=LIMIT)
    head = "Host: x\nExpect: 100-continue\nContent-Length: 5\n\n"
    client = await connect(server)
    await client.send("POST /read HTTP/1.1\n" + head)
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(b"12345")
    answer = await client.answer()
    assert (answer.body, answer.keeps) == (b"5", True)
    await client.send("POST /leave HTTP/1.1\n" + head)
    assert (await client.reader.readline()).startswith(b"HTTP/1.1 200")
    assert b"connection: close" in await client.ended()
    client = await connect(server)
    await client.send("POST /read HTTP/1.1\n" + head.replace("5", "5000"))
    assert (await client.reader.readline()).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "text",
    [
        "nonsense\n\n",
        "GET / HTTP/9.9\n\n",
        "FROB / HTTP/1.1\nHost: x\n\n",
        "GET /\x01 HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\nHost: x\nBad Header: 1\n\n",
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\nHost: a\nHost: b\n\n",
        "POST / HTTP/1.1\nHost: x\nContent-Length: 5\nTransfer-Encoding: chunked\n\n",
        "POST / HTTP/1.1\nHost: x\nContent-Length: 5\nContent-Length: 6\n\n",
        "POST / HTTP/1.1\nHost: x\nContent-Length: -1\n\n",
        "POST / HTTP/1.1\nHost: x\nContent-Length: 99999999999999999999999\n\n",
    ],
)
async def test_what_is_not_http_is_400_and_logged_nowhere_by_default(serve, connect, capfd, text):
    """A port scanner does not fill stderr, and two readings of a request are none."""
    server = await serve({"/": echo})
    client = await connect(server)
    await client.send(text)
    answer = await client.answer()
    assert (answer.status, answer.keeps) == (400, False)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await client.ended() == b""
    assert capfd.readouterr().err == ""


async def test_chunks_that_are_none_are_400(serve, connect):
    """The handler that was reading them learns that the client is gone."""
    server = await serve({"/": echo})
    client = await connect(server)
    await client.send(CHUNKED_HEAD + "zz\n")
    assert (await client.answer()).status == 400
    assert await client.ended() == b""


async def test_trailers_are_not_taken_for_headers(serve, connect):
    """Nobody gets a header in behind what has looked at them."""
    seen = []

    async def handler(request):
        await request.body()
        seen.append(request.scope["headers"])
        return PlainTextResponse("ok")

    server = await serve({"/": handler})
    client = await connect(server)
    await client.send(CHUNKED_HEAD + "1\nx\n0\nX-User: admin\n\n")
    assert (await client.answer()).body == b"ok"
    assert [name for name, _ in seen[0]] == [b"host", b"transfer-encoding"]
    assert (await client.ask("GET", "/")).body == b"ok"


@pytest.mark.parametrize("start", [b"1\r\nx\r\n0\r\nX: ", b"1\r\nx\r\n0\r\nX: 1\r\n", b"1;x="])
async def test_trailers_and_extensions_that_never_end_are_431(serve, connect, start):
    """They are no body, and have the bound of a head."""
    server = await serve({"/": echo})
    client = await connect(server)
    await client.send(CHUNKED_HEAD)
    await client.send(start)
    line = b"X: 1\r\n" * 100 if start.endswith(b"\n") else b"y" * 600
    sending = asyncio.create_task(drip(client, line, 0.0))
    assert (await client.answer()).status == 431
    sending.cancel()


async def test_nonsense_behind_a_request_does_not_get_into_its_response(serve, connect):
    """The connection is cut off instead."""
    answered = asyncio.Event()

    async def slow(request):
        answered.set()
        await asyncio.sleep(60)

    server = await serve({"/": slow}, shutdown_timeout=0)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n")
    await answered.wait()
    await client.send("nonsense\n\n")
    assert await client.ended() == b""


@pytest.mark.parametrize("after", [b"", b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_an_offer_of_another_protocol_is_not_taken(serve, connect, after):
    """The request is served as it is and is the connection's last, whatever follows it."""
    paths = []

    async def handler(request):
        paths.append(request.url.path)
        return PlainTextResponse("http/1.1")

    server = await serve({"/": handler})
    client = await connect(server)
    upgrade = "Host: x\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: \n"
    await client.send(f"GET / HTTP/1.1\n{upgrade}\n")
    await client.send(after)
    answer = await client.answer()
    assert (answer.body, answer.keeps) == (b"http/1.1", False)
    client = await connect(server)
    await client.send(f"POST / HTTP/1.1\n{upgrade}Content-Length: {len(after)}\n\n")
    await client.send(after)
    assert (await client.answer()).status == 501
    await asyncio.sleep(0.05)
    assert paths == ["/"]


async def test_more_requests_in_a_row_than_anybody_sends_end_the_connection(serve, connect):
    """What waits for its turn takes memory, so it has a bound."""

    async def slow(request):
        await asyncio.sleep(60)

    server = await serve({"/": slow}, shutdown_timeout=0)
    client = await connect(server)
    await client.send("GET / HTTP/1.1\nHost: x\n\n" * 1000)
    assert await client.ended() == b""


async def test_http_1_0_is_served_and_not_kept(serve, connect):
    """Its requests need no Host header."""
    server = await serve({"/": unread})
    client = await connect(server)
    await client.send("GET / HTTP/1.0\n\n")
    assert (await client.answer()).body == b"early"
    assert await client.ended() == b""
