"""Peers that misbehave, die, or are not what they seem: each a clear error of the right code."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mist.protocol import MAX_MESSAGE_SIZE, Message, MessageTooLarge
from mist.transport.errors import Rejected, TransportError, TransportTimeout
from mist.transport.headers import outgoing_headers


def message():
    """Make a message."""
    return Message.new("test", "acme.number", {"number": 1})


def saying(read_request, text):
    """Make a peer that answers each request with the same text."""

    async def handle(reader, writer):
        while True:
            await read_request(reader)
            writer.write(text.encode())
            await writer.drain()
            if "Connection: close" in text:
                return

    return handle


def ok(status, *headers, body=""):
    """Put an answer together that is complete in itself."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines) + body


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
async def test_success_is_success(http, peer, read_request, status):
    """Listeners that are not ours may say it differently."""
    sender = await http(await peer(saying(read_request, ok(status))))
    await sender.send(message())


async def test_200_with_json_is_success(http, peer, read_request):
    """An application may answer with a word of its own."""
    sender = await http(await peer(saying(read_request, ok("200 OK", body='{"ok":true}'))))
    await sender.send(message())


async def test_200_with_a_page_is_a_rejection(http, peer, read_request):
    """A login page or a web server's welcome is no acceptance."""
    page = "<html>" + "welcome " * 100
    sender = await http(await peer(saying(read_request, ok("200 OK", body=page))))
    with pytest.raises(Rejected, match="not a MIST listener") as caught:
        await sender.send(message())
    assert caught.value.status == 200
    assert caught.value.body.startswith("<html>welcome")
    assert len(caught.value.body) <= 200


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "protocol"),
        ("401 Unauthorized", "auth"),
        ("404 Not Found", "not_found"),
        ("413 Content Too Large", "protocol"),
        ("429 Too Many Requests", "rate_limit"),
        ("500 Internal Server Error", "transport"),
        ("503 Service Unavailable", "unavailable"),
        ("504 Gateway Timeout", "timeout"),
        ("599 What", "transport"),
    ],
)
async def test_a_rejection_tells_status_reason_and_code(http, peer, read_request, status, code):
    """The error says what the peer said."""
    sender = await http(await peer(saying(read_request, ok(status, body="because"))))
    with pytest.raises(Rejected, match="because") as caught:
        await sender.send(message())
    assert (caught.value.status, caught.value.code) == (int(status[:3]), code)


async def test_a_redirect_is_not_followed_and_named(http, peer, read_request):
    """A message and its token go where they were sent, and nowhere else."""
    answer = ok("307 Temporary Redirect", "Location: http://elsewhere.example/")
    sender = await http(await peer(saying(read_request, answer)))
    with pytest.raises(Rejected, match=r"redirecting to http://elsewhere.example/; dial"):
        await sender.send(message())


async def test_retry_after_is_read_as_seconds_and_as_a_date(http, peer, read_request):
    """Both forms of RFC 9110 become seconds; nonsense becomes nothing."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    for value, low, high in [("7", 7, 7), (soon, 90, 100), ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0)]:
        answer = ok("503 Service Unavailable", f"Retry-After: {value}")
        sender = await http(await peer(saying(read_request, answer)))
        with pytest.raises(Rejected) as caught:
            await sender.send(message())
        assert low <= caught.value.retry_after <= high
        assert "to be tried again after" in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "9" * 400,
        "Mon, 99999999999999999999 Jan 2020 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2020 99999999999:00:00 GMT",
        "Mon, 01 Jan 2020 00:00:00 +99999999999999999999",
    ],
)
async def test_a_retry_after_that_is_none_is_not_passed_on(http, peer, read_request, value):
    """Numbers that no clock holds are nonsense, too, and the error stays a rejection."""
    sender = await http(await peer(saying(read_request, ok("503 No", f"Retry-After: {value}"))))
    with pytest.raises(Rejected) as caught:
        await sender.send(message())
    assert caught.value.retry_after is None
    assert "again" not in str(caught.value)


async def test_a_peer_that_repeats_the_token_does_not_get_it_into_the_error(
    http, peer, read_request
):
    """Errors are logged; tokens must not be."""
    answer = ok("500 No", "Location: /?s3cret", body="x" * 190 + "s3cret-token")
    sender = await http(await peer(saying(read_request, answer)), token="s3cret")
    with pytest.raises(Rejected) as caught:
        await sender.send(message())
    assert "s3c" not in str(caught.value) + caught.value.body


async def test_nobody_listening_is_a_transport_error_that_names_the_url(http, tmp_path):
    """Refused, no such host, no such socket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (
        f"http://127.0.0.1:{port}/mist",
        "http://nosuchhost.invalid/mist",
        f"http+unix://{tmp_path}/none.sock",
    ):
        sender = await http(url)
        with pytest.raises(TransportError) as caught:
            await sender.send(message())
        assert str(caught.value).startswith(f"cannot connect to {url}: ")
        assert caught.value.code == "transport"
        assert caught.value.__cause__ is not None


async def test_a_peer_that_does_not_answer_is_a_timeout(http, peer):
    """Each send ends within the timeout, with code `timeout`, also while it waits its turn."""

    async def silent(reader, _writer):
        await reader.read(-1)

    sender = await http(await peer(silent), timeout=0.2)
    start = time.monotonic()
    results = await asyncio.gather(
        *(sender.send(message()) for _ in range(5)), return_exceptions=True
    )
    assert [(type(r), r.code) for r in results] == [(TransportTimeout, "timeout")] * 5
    assert isinstance(results[0], TimeoutError)
    assert time.monotonic() - start < 2.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HTTP/1.1 202 Acc",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    ],
)
async def test_a_peer_that_dies_mid_answer_is_a_transport_error(http, peer, read_request, text):
    """Nobody knows whether the message was taken, and the error does not claim to."""

    async def handle(reader, writer):
        await read_request(reader)
        writer.write(text.encode())

    url = await peer(handle)
    sender = await http(url)
    with pytest.raises(TransportError, match="before it answered") as caught:
        await sender.send(message())
    assert caught.value.code == "transport"
    assert url in str(caught.value)


async def test_a_peer_that_does_not_speak_http_is_named(http, peer):
    """SSH, for instance."""

    async def handle(reader, writer):
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await reader.read(-1)

    sender = await http(await peer(handle))
    with pytest.raises(TransportError, match="does not answer in HTTP") as caught:
        await sender.send(message())
    assert caught.value.code == "protocol"
    assert "\n" not in str(caught.value)


async def test_an_endless_answer_is_not_read_to_the_end(http, peer, read_request):
    """Memory stays bounded, whatever the peer sends."""

    async def handle(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    sender = await http(await peer(handle), timeout=5.0)
    with pytest.raises(Rejected) as caught:
        await sender.send(message())
    assert caught.value.status == 500


async def test_a_message_over_the_limit_is_refused_before_any_connection(http):
    """The dialed port is closed, and nobody notices."""
    sender = await http("http://127.0.0.1:9")
    over = Message("1", "id", "s", "t", 0, type(message().payload)(b'"' + b"x" * MAX_MESSAGE_SIZE))
    with pytest.raises(MessageTooLarge):
        await sender.send(over)
    with pytest.raises(MessageTooLarge):
        await sender.send(Message("1", "id", "s" * (MAX_MESSAGE_SIZE + 70_000), "t"))


async def test_a_header_that_cannot_be_sent_is_an_error_of_ours(http):
    """No header can be smuggled in through a trace."""
    receiver = await http(listen="127.0.0.1:0")
    sender = await http(receiver.listen_url)
    outgoing_headers.set({"traceparent": "00\r\nX-Evil: 1"})
    with pytest.raises(TransportError) as caught:
        await sender.send(message())
    assert caught.value.code == "validation"
    outgoing_headers.set({})


async def test_an_idle_connection_that_the_peer_closed_is_no_failure(http, peer, read_request):
    """The next send connects anew."""
    connections = []

    async def handle(reader, writer):
        connections.append(writer)
        await read_request(reader)
        writer.write(ok("202 Accepted").encode())
        await writer.drain()

    sender = await http(await peer(handle))
    for _ in range(3):
        await sender.send(message())
        # Real time: the end of a connection has to travel through the kernel.
        await asyncio.sleep(0.02)
    assert len(connections) == 3


@pytest.mark.parametrize("batch", [True, False])
async def test_a_peer_that_is_killed_ends_fifty_pending_sends(http, batch):
    """Each ends with an error, at once."""
    code = (
        "import asyncio\n"
        "async def handle(r, w):\n"
        "    global first\n"
        "    await r.readuntil(b'\\r\\n\\r\\n')\n"
        "    if first:\n"
        "        first = False\n"
        f"        accepts = 'Accept-Post: application/x-ndjson\\r\\n' if {batch} else ''\n"
        "        w.write(f'HTTP/1.1 202 A\\r\\n{accepts}Content-Length: 0\\r\\n\\r\\n'.encode())\n"
        "    await asyncio.sleep(60)\n"
        "async def main():\n"
        "    s = await asyncio.start_server(handle, '127.0.0.1', 0)\n"
        "    print(s.sockets[0].getsockname()[1], flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "first = True\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    try:
        port = int(await child.stdout.readline())
        sender = await http(f"http://127.0.0.1:{port}")
        await sender.send(message())
        sends = [asyncio.create_task(sender.send(message())) for _ in range(50)]
        # Real time: the requests have to be under way in the other process.
        await asyncio.sleep(0.1)
        os.kill(child.pid, signal.SIGKILL)
        start = time.monotonic()
        results = await asyncio.gather(*sends, return_exceptions=True)
    finally:
        await child.wait()
        child._transport.close()
    assert time.monotonic() - start < 3.0
    assert {r.code for r in results} == {"transport"}
    assert len({id(r) for r in results}) == 50
