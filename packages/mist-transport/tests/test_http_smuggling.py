"""Requests that two parsers could read differently, and what else is no plain request."""

import asyncio
import re

import pytest

from mist.protocol import Message

MESSAGE = Message.new("test", "acme.number", {"number": 1}).marshal()
HEAD = b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(MESSAGE)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNK = b"%x\r\n%s\r\n" % (len(MESSAGE), MESSAGE)
WHOLE = HEAD + LENGTH + b"\r\n" + MESSAGE


async def exchange(receiver, data):
    """Send bytes, close the sending side, and return the statuses that come back."""
    reader, writer = await asyncio.open_connection(*receiver.addr.split(":"))
    writer.write(data)
    writer.write_eof()
    answers = await reader.read(-1)
    writer.close()
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


# Each is followed by a whole request. Where the first is refused for its form, nobody can know
# where it ends: what follows must not be taken.
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(HEAD + LENGTH + CHUNKED + b"\r\n" + CHUNK + b"0\r\n\r\n", 400, id="cl-te"),
        pytest.param(HEAD + CHUNKED + LENGTH + b"\r\n" + CHUNK + b"0\r\n\r\n", 400, id="te-cl"),
        pytest.param(HEAD + LENGTH + LENGTH + b"\r\n" + MESSAGE, 400, id="cl-cl"),
        pytest.param(HEAD + LENGTH + b"Content-Length: 5\r\n\r\n" + MESSAGE, 400, id="cl-other-cl"),
        pytest.param(HEAD + b"Content-Length: 1, 1\r\n\r\n" + MESSAGE, 400, id="cl-list"),
        pytest.param(HEAD + b"Content-Length: +10\r\n\r\n" + MESSAGE, 400, id="cl-plus"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n" + MESSAGE, 400, id="cl-negative"),
        pytest.param(
            HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n" + MESSAGE, 400, id="cl-overflow"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNK + b"0\r\n\r\n", 400, id="te-x"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNK + b"0\r\n\r\n", 400, id="te-space"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNK + b"0\r\n\r\n", 400, id="te-vt"
        ),
        pytest.param(
            HEAD + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNK + b"0\r\n\r\n",
            400,
            id="te-te",
        ),
        pytest.param(
            HEAD.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n" + CHUNK + b"0\r\n\r\n",
            400,
            id="te-1.0",
        ),
        pytest.param(
            HEAD + CHUNKED + b"\r\n0x" + CHUNK + b"0\r\n\r\n", 400, id="chunk-size-prefix"
        ),
        pytest.param(HEAD + CHUNKED + b"\r\n-1\r\n" + CHUNK, 400, id="chunk-size-negative"),
        pytest.param(HEAD + CHUNKED + b"\r\n" + b"f" * 17 + b"\r\n", 400, id="chunk-size-overflow"),
        pytest.param(HEAD + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + MESSAGE, 400, id="folded"),
        pytest.param(HEAD + b"X: a\x00b\r\n" + LENGTH + b"\r\n" + MESSAGE, 400, id="nul"),
        pytest.param(HEAD + b"X: a\rb\r\n" + LENGTH + b"\r\n" + MESSAGE, 400, id="bare-cr"),
        pytest.param(WHOLE.replace(b"\r\n", b"\n"), 400, id="bare-lf"),
        pytest.param(WHOLE.replace(b"Host: x\r\n", b""), 400, id="no-host"),
        pytest.param(WHOLE.replace(b"Host: x\r\n", b"Host: x\r\nHost: y\r\n"), 400, id="two-hosts"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="http-2"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, id="connect"),
        pytest.param(
            HEAD + LENGTH + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + MESSAGE, 501, id="h2c"
        ),
        pytest.param(
            HEAD + LENGTH + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + MESSAGE,
            501,
            id="websocket",
        ),
        pytest.param(
            HEAD + b"X: " + b"y" * 70_000 + b"\r\n" + LENGTH + b"\r\n" + MESSAGE, 431, id="header"
        ),
        pytest.param(WHOLE.replace(b"/mist", b"/mist?" + b"y" * 70_000), 431, id="url"),
    ],
)
async def test_a_request_whose_end_is_in_doubt_ends_its_connection(http, request_, status):
    """It is refused with a status, and nothing behind it on the connection is taken."""
    receiver = await http(listen="127.0.0.1:0")
    assert await exchange(receiver, request_ + WHOLE) == [status]
    await receiver.close()
    assert [message async for message in receiver] == []


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(WHOLE, id="plain"),
        pytest.param(b"\r\n" + WHOLE, id="line-end-before"),
        pytest.param(HEAD + CHUNKED + b"\r\n" + CHUNK + b"0\r\n\r\n", id="chunked"),
        pytest.param(
            HEAD + b"Transfer-Encoding:\tChunked\r\n\r\n" + CHUNK + b"0\r\n\r\n", id="tab-and-case"
        ),
        pytest.param(
            HEAD + CHUNKED + b"\r\n" + CHUNK.replace(b"\r\n", b";a=b\r\n", 1) + b"0\r\n\r\n",
            id="chunk-extension",
        ),
        pytest.param(HEAD + CHUNKED + b"\r\n" + CHUNK + b"0\r\nX: y\r\n\r\n", id="trailer"),
        pytest.param(WHOLE.replace(b"/mist", b"http://x/mist"), id="absolute-form"),
    ],
)
async def test_what_http_allows_is_taken(http, request_):
    """It is, and so is the request behind it."""
    receiver = await http(listen="127.0.0.1:0")
    assert await exchange(receiver, request_ + WHOLE) == [202, 202]
    assert (await receiver.receive()).marshal() == MESSAGE


async def test_a_transfer_encoding_that_would_stay_encoded_is_501(http):
    """A gzip stream is not mistaken for a message."""
    receiver = await http(listen="127.0.0.1:0")
    request = HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNK + b"0\r\n\r\n"
    assert await exchange(receiver, request + WHOLE) == [501, 202]


async def test_a_trailer_does_not_pass_for_a_header(http):
    """Credentials, or what a proxy takes away from heads, do not come in by the back door."""
    receiver = await http(listen="127.0.0.1:0", token="s3cret")
    trailer = b"0\r\nAuthorization: Bearer s3cret\r\n\r\n"
    assert await exchange(receiver, HEAD + CHUNKED + b"\r\n" + CHUNK + trailer) == [401]


async def test_trailers_without_end_take_no_memory_and_end_at_the_bodys_deadline(http):
    """What comes behind the last chunk is dropped, and does not keep the connection."""
    receiver = await http(listen="127.0.0.1:0", body_timeout=0.3)
    reader, writer = await asyncio.open_connection(*receiver.addr.split(":"))
    writer.write(HEAD + CHUNKED + b"\r\n" + CHUNK + b"0\r\n")

    async def pile_up():
        while True:
            writer.write(b"X-Filling: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)

    answer = asyncio.create_task(reader.readline())
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(pile_up(), 5.0)
    assert (await answer).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_many_pipelined_requests_are_answered_in_order(http):
    """A client that does not wait for answers gets each of them."""
    receiver = await http(listen="127.0.0.1:0")
    assert await exchange(receiver, WHOLE * 200) == [202] * 200


async def test_long_heads_that_are_pipelined_are_each_within_the_limit(http):
    """A hundred heads of a kilobyte are no head of a hundred kilobytes, however they arrive."""
    receiver = await http(listen="127.0.0.1:0")
    request = WHOLE.replace(b"Host: x", b"Host: x\r\nX-Filling: " + b"y" * 1000)
    assert await exchange(receiver, request * 150) == [202] * 150


async def test_more_pipelined_requests_than_anybody_sends_end_the_connection(http):
    """Requests that wait take memory: there is a bound, and a good client is served on."""
    receiver = await http(listen="127.0.0.1:0")
    with pytest.raises(ConnectionError):
        await exchange(receiver, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5000)
    assert await exchange(receiver, WHOLE) == [202]
