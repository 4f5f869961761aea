"""Clients that would keep the listener busy: each is cut off, and the others are served."""

import asyncio
import contextlib
import socket
import time

import pytest

from mist.protocol import Message
from mist.transport import Rejected

# Real time throughout: deadlines are kept by the server under test, over real connections.
SHORT = {"header_timeout": 0.2}


def message():
    """Make a message."""
    return Message.new("test", "acme.number", {"number": 1})


async def connect(receiver):
    """Open a bare connection to a listener."""
    return await asyncio.open_connection(*receiver.addr.split(":"))


async def trickle(writer, data, pause):
    """Write a byte at a time, until the other side has had enough."""
    try:
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)
    except ConnectionError:
        pass


@pytest.mark.parametrize("head", [b"", b"POST /mist HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 1000])
async def test_a_client_that_does_not_finish_its_head_is_cut_off(http, head):
    """Silence and a byte at a time end alike, while a good client is served."""
    receiver = await http(listen="127.0.0.1:0", listen_options=SHORT)
    reader, writer = await connect(receiver)
    start = time.monotonic()
    drip = asyncio.create_task(trickle(writer, head, 0.02))
    sender = await http(receiver.listen_url)
    await sender.send(message())
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - start < 2.0
    await drip
    writer.close()
    await sender.send(message())


async def test_a_client_that_leaves_as_it_is_turned_away_is_no_error(http):
    """It may go after the loop has looked at its connection, and before its deadline is kept."""
    receiver = await http(listen="127.0.0.1:0", listen_options=SHORT)
    loop, faults = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _loop, context: faults.append(context))
    client = socket.create_connection(receiver.addr.split(":"))
    await asyncio.sleep(0.05)
    loop.call_later(0.05, client.close)
    time.sleep(0.3)  # both are due in the same turn of the loop
    await asyncio.sleep(0.1)
    assert faults == []


async def test_the_head_of_a_second_request_has_a_deadline_too(http):
    """A connection that was good once does not stay so."""
    receiver = await http(listen="127.0.0.1:0", listen_options=SHORT)
    reader, writer = await connect(receiver)
    body = message().marshal()
    head = b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    writer.write(head + body)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
    # An idle connection is no half request: it is kept.
    await asyncio.sleep(0.4)
    writer.write(head + body)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
    writer.write(head[:10])
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_line_ends_now_and_then_do_not_keep_a_connection(http):
    """What is neither a request nor silence is a head that does not come to its end."""
    receiver = await http(listen="127.0.0.1:0", listen_options=SHORT)
    reader, writer = await connect(receiver)
    body = message().marshal()
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
    start = time.monotonic()
    drip = asyncio.create_task(trickle(writer, b"\r\n" * 100, 0.02))
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - start < 2.0
    await drip
    writer.close()


async def test_a_body_that_nobody_wants_does_not_keep_a_connection(http):
    """Refused by its head, a request has only so long to come to its end."""
    receiver = await http(listen="127.0.0.1:0", listen_options=SHORT)
    reader, writer = await connect(receiver)
    writer.write(b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    start = time.monotonic()
    drip = asyncio.create_task(trickle(writer, b" " * 1000, 0.02))
    assert (await reader.readline()).startswith(b"HTTP/1.1 404")
    with contextlib.suppress(ConnectionError):
        await reader.read(-1)
    assert time.monotonic() - start < 2.0
    await drip
    writer.close()


async def test_a_client_that_does_not_read_its_answers_is_cut_off(http):
    """Answers pile up only so far, and for only so long."""
    receiver = await http(listen="127.0.0.1:0", listen_options=SHORT)
    sock = socket.create_connection(receiver.addr.split(":"))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    async def ask_on():
        while True:
            await loop.sock_sendall(sock, request * 100)
            await asyncio.sleep(0)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(ask_on(), 20.0)
    sock.close()
    sender = await http(receiver.listen_url)
    await sender.send(message())


async def test_bodies_that_arrive_at_once_are_bounded_in_all(http):
    """Many clients that each keep within their own limit do not fill the memory together."""
    receiver = await http(listen="127.0.0.1:0", inbox_bytes=100_000)
    held = [await connect(receiver) for _ in range(3)]
    head = b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n"
    for _, writer in held:
        writer.write(head + b" " * 60_000)
    async with asyncio.timeout(5.0):
        done, waiting = await asyncio.wait(
            [asyncio.create_task(reader.readuntil(b"\r\n\r\n")) for reader, _ in held],
            return_when=asyncio.FIRST_COMPLETED,
        )
    answer = done.pop().result()
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after" in answer
    for _, writer in held:
        writer.close()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.sleep(0.05)
    sender = await http(receiver.listen_url)
    await sender.send(Message.new("test", "acme.text", "x" * 200_000))  # alone, it may be larger


async def test_waiting_messages_are_bounded_in_bytes(http):
    """Few large messages fill an inbox as well as many small ones, and it empties again."""
    receiver = await http(listen="127.0.0.1:0", inbox_bytes=100_000)
    sender = await http(receiver.listen_url)
    large = [Message.new("test", "acme.text", "x" * 60_000) for _ in range(2)]
    await sender.send(large[0])
    with pytest.raises(Rejected, match="60002 of 100000 bytes") as caught:
        await sender.send(large[1])
    assert caught.value.code == "unavailable"
    assert await receiver.receive() == large[0]
    await sender.send(large[1])
    assert await receiver.receive() == large[1]


async def test_a_client_that_does_not_finish_its_body_is_cut_off(http):
    """It is told 408, and nothing of it is received."""
    receiver = await http(listen="127.0.0.1:0", body_timeout=0.2)
    reader, writer = await connect(receiver)
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    drip = asyncio.create_task(trickle(writer, b" " * 100, 0.02))
    start = time.monotonic()
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    with contextlib.suppress(ConnectionError):
        await reader.read(-1)
    assert time.monotonic() - start < 2.5
    await drip
    writer.close()
    sender = await http(receiver.listen_url)
    sent = message()
    await sender.send(sent)
    assert await receiver.receive() == sent


async def test_a_head_without_end_is_cut_off(http):
    """Memory for headers is bounded."""
    receiver = await http(listen="127.0.0.1:0")
    reader, writer = await connect(receiver)
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\n")
    for _ in range(100):
        writer.write(b"X-Filling: " + b"y" * 1000 + b"\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 431")
    writer.close()


async def test_connections_beyond_the_cap_are_turned_away(http):
    """Those within it are served, and a place that becomes free is given again."""
    receiver = await http(listen="127.0.0.1:0", listen_options={"max_connections": 2})
    held = [await connect(receiver) for _ in range(2)]
    await asyncio.sleep(0.05)
    reader, writer = await connect(receiver)
    assert (await reader.read(-1)).startswith(b"HTTP/1.1 503")
    writer.close()
    held[0][1].close()
    await asyncio.sleep(0.05)
    sender = await http(receiver.listen_url)
    await sender.send(message())
    held[1][1].close()


async def test_what_is_not_http_is_answered_400_and_logged_nowhere_by_default(http, capfd):
    """A port scanner does not fill stderr."""
    receiver = await http(listen="127.0.0.1:0")
    reader, writer = await connect(receiver)
    writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    writer.close()
    assert capfd.readouterr().err == ""


async def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_nothing(http):
    """A message that did not arrive whole is not received."""
    receiver = await http(listen="127.0.0.1:0")
    _, writer = await connect(receiver)
    body = message().marshal()
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
    writer.write(body[:-1])
    await writer.drain()
    writer.close()
    sender = await http(receiver.listen_url)
    sent = message()
    await sender.send(sent)
    assert await receiver.receive() == sent


async def test_a_tls_handshake_that_never_comes_is_cut_off(http, authority):
    """The head's deadline holds before TLS is spoken, too."""
    options = {**SHORT, "cert_file": authority.server}
    receiver = await http(listen="127.0.0.1:0", listen_options=options)
    reader, writer = await connect(receiver)
    start = time.monotonic()
    with contextlib.suppress(ConnectionError):
        assert await reader.read(-1) == b""
    assert time.monotonic() - start < 2.0
    writer.close()
    sender = await http(receiver.listen_url, ca_file=authority.ca)
    await sender.send(message())


@pytest.mark.parametrize(
    ("length", "status"), [(b"0" * 5000 + b"2", b"400"), (b"0" * 5000 + b"9" * 18, b"413")]
)
async def test_a_length_with_zeros_in_front_is_that_length(http, length, status):
    """More of them than Python converts digits are no reason to fail."""
    receiver = await http(listen="127.0.0.1:0")
    reader, writer = await connect(receiver)
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n{}" % length)
    assert (await reader.readline()).split()[1] == status
    writer.close()
