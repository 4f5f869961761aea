"""Peers that are slow, half open or gone: every send ends in time, and says what happened."""

import asyncio
import contextlib
import gzip
import socket
import struct
import subprocess
import sys
import textwrap
import time

import pytest

from mist.protocol import Message
from mist.transport import Rejected, Resilient, TransportError, dial, sync, with_retry, wrap

# Real time throughout: what is bounded here is the time that real connections take.
TIMEOUT = 0.4  # seconds that a send may take
SLACK = 3.0  # what a busy machine may add
PAGE = b"<html><h1>502</h1>nginx"
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


def message(number=1):
    """Make a message."""
    return Message.new("test", "acme.number", {"number": number})


def reset(writer):
    """End a connection with RST."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def answering(read_request, data, *, pause=0.0, then=None):
    """Make a peer that answers with these bytes, one at a time or all at once, and goes on."""

    async def handle(reader, writer):
        await read_request(reader)
        for piece in [bytes([byte]) for byte in data] if pause else [data]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if then is not None:
            await asyncio.sleep(0.02)  # for what was written to be on its way
            then(writer)
        await reader.read(-1)

    return handle


async def fate_of(sender, sent=None):
    """Send a message that is not taken, see that this ends in time, and return the error."""
    started = time.monotonic()
    with pytest.raises(TransportError) as caught:
        await sender.send(sent or message())
    assert time.monotonic() - started < TIMEOUT + SLACK
    return caught.value


@pytest.mark.parametrize(
    ("data", "pause"),
    [
        (b"HTTP/1.1 202 Accepted\r\n" + b"X-Slow: x\r\n" * 100, 0.02),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000, 0.02),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nthat is all", 0.0),
        (b"HTTP/1.1 202 Accepted\r\n\r\n", 0.0),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0.0),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.005),
        (b"H", 0.0),
    ],
    ids=["slow head", "slow body", "short body", "no length", "100", "100s", "one byte"],
)
async def test_an_answer_that_does_not_end_is_a_timeout(http, peer, read_request, data, pause):
    """However much of it has come: the bound is on the whole, not on its parts."""
    url = await peer(answering(read_request, data, pause=pause))
    error = await fate_of(await http(url, timeout=TIMEOUT))
    assert error.code == "timeout"
    assert f"{url}/mist did not answer within 0.4 seconds" in str(error)


async def test_a_peer_that_does_not_read_is_a_timeout(http, peer):
    """A message that is longer than what the kernel takes is given up, too."""

    async def handle(_reader, writer):
        writer.transport.pause_reading()
        await asyncio.sleep(60)

    sender = await http(await peer(handle), timeout=TIMEOUT)
    error = await fate_of(sender, Message.new("test", "acme.big", "x" * (8 << 20)))
    assert error.code == "timeout"


@pytest.mark.skipif(sys.platform != "linux", reason="what a full queue of connections does")
async def test_a_connection_that_is_never_made_is_a_timeout(http):
    """As to an address behind which nobody says no."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        sender = await http(f"http://127.0.0.1:{full.getsockname()[1]}", timeout=TIMEOUT)
        assert (await fate_of(sender)).code == "timeout"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 202 Acc",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["before", "in the head", "in the body", "after 100"],
)
@pytest.mark.parametrize(
    "end", [reset, lambda writer: writer.write_eof()], ids=["reset", "half-closed"]
)
async def test_a_peer_that_is_gone_is_an_error_at_once(http, peer, read_request, data, end):
    """Nothing is waited for that cannot come any more, and nobody claims to know the fate."""
    url = await peer(answering(read_request, data, then=end))
    error = await fate_of(await http(url, timeout=30.0))
    assert error.code == "transport"
    assert f"lost the connection to {url}/mist before it answered" in str(error)


async def test_a_peer_that_resets_whatever_connects_is_an_error_at_once(http, peer):
    """Before it has read anything."""

    async def handle(_reader, writer):
        reset(writer)

    assert (await fate_of(await http(await peer(handle), timeout=30.0))).code == "transport"


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        ("502 Bad Gateway", (PAGE, "502 Bad Gateway: <html><h1>502</h1>nginx")),
        ("200 OK", (PAGE, "is not a MIST listener: it answered 200 with a page: <html>")),
        ("302 Found\r\nLocation: /login", (PAGE, "302 Found, redirecting to /login; dial that")),
        ("101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade", (b"", "101 Switching")),
        (
            "502 Bad Gateway\r\nContent-Encoding: gzip",
            (
                gzip.compress(PAGE),
                "502 Bad Gateway: (compressed with gzip, which was not asked for)",
            ),
        ),
        (
            "200 OK\r\nContent-Encoding: br",
            (
                b"\x8b\x02\x80\x03",
                "answered 200 with a page: (compressed with br, which was not asked for)",
            ),
        ),
    ],
)
async def test_what_a_proxy_says_is_told(http, peer, read_request, head, answer):
    """A page, a way to a login, another protocol, what was compressed unasked: all are refusals."""
    body, reason = answer
    data = f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    error = await fate_of(await http(await peer(answering(read_request, data)), timeout=30.0))
    assert isinstance(error, Rejected)
    assert reason in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize(
    "head", ["Content-Length: -5", "Content-Length: 5\r\nContent-Length: 7", "X: " + "y" * 100_000]
)
async def test_a_head_that_cannot_be_right_is_no_answer(http, peer, read_request, head):
    """Lengths that contradict, and heads that are too long, say nothing of the message."""
    data = f"HTTP/1.1 202 Accepted\r\n{head}\r\n\r\nabcdefg".encode()
    error = await fate_of(await http(await peer(answering(read_request, data)), timeout=30.0))
    assert error.code == "protocol"
    assert "does not answer in HTTP" in str(error)


async def test_early_hints_are_not_the_answer(http, peer, read_request):
    """What comes after them is."""
    data = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ACCEPTED
    sender = await http(await peer(answering(read_request, data)))
    await sender.send(message())


@pytest.mark.parametrize(
    "surplus",
    [ACCEPTED, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", b"x"],
    ids=["202", "408", "nonsense"],
)
async def test_an_answer_that_nobody_asked_for_is_not_the_next_ones(
    http, peer, read_request, surplus
):
    """A message is taken when the peer says so of it, and not by what lay on the connection."""
    bodies = []

    async def handle(reader, writer):
        while True:
            _, body = await read_request(reader)
            bodies.append(body)
            if len(bodies) == 2:
                writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
                continue
            writer.write(ACCEPTED)
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.write(surplus)

    sender = await http(await peer(handle))
    await sender.send(message(1))
    await asyncio.sleep(0.1)
    error = await fate_of(sender, message(2))
    assert error.status == 503
    assert len(bodies) == 2


async def test_a_connection_closed_as_a_request_goes_out_is_an_error_and_no_second_request(
    http, peer, read_request
):
    """Nobody knows whether the peer has read it: trying again is for the caller to say."""
    bodies = []

    async def handle(reader, writer):
        while True:
            _, body = await read_request(reader)
            bodies.append(body)
            if len(bodies) % 2 == 0:
                return
            writer.write(ACCEPTED)

    sender = await http(await peer(handle))
    await sender.send(message(1))
    assert "lost the connection" in str(await fate_of(sender, message(2)))
    assert len(bodies) == 2


class Twice:
    """A policy of two further attempts."""

    def waits(self):
        """Wait hardly at all."""
        return [0.01, 0.01]


@pytest.mark.parametrize(
    "make",
    [
        lambda url: wrap(dial(url), with_retry(Twice())),
        lambda url: Resilient(lambda: dial(url), reconnect_wait=0.0),
    ],
    ids=["with_retry", "Resilient"],
)
async def test_what_tries_again_delivers_after_such_a_close(peer, read_request, make):
    """The message arrives, each time under the same id."""
    bodies = []

    async def handle(reader, writer):
        while True:
            _, body = await read_request(reader)
            bodies.append(body)
            if len(bodies) == 1:
                return
            writer.write(ACCEPTED)

    async with make(await peer(handle)) as sender, asyncio.timeout(SLACK):
        await sender.send(message())
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


async def test_all_attempts_together_are_bounded(http, peer):
    """Three attempts at a peer that hangs take three timeouts; asyncio.timeout ends any."""

    async def hang(reader, _writer):
        await reader.read(-1)

    url = await peer(hang)
    started = time.monotonic()
    retried = wrap(await http(url, timeout=TIMEOUT), with_retry(Twice()))
    with pytest.raises(TransportError) as caught:
        await retried.send(message())
    assert 3 * TIMEOUT < time.monotonic() - started < 3 * TIMEOUT + SLACK
    assert "gave up after 3 attempts" in caught.value.__notes__
    async with Resilient(lambda: dial(url, timeout=0.1), reconnect_wait=0.0) as resilient:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await resilient.send(message())
    assert time.monotonic() - started < TIMEOUT + SLACK


@pytest.mark.parametrize("patience", [TIMEOUT / 2, TIMEOUT * 2], ids=["before", "after"])
async def test_a_cancellation_in_the_moment_of_the_timeout_is_not_lost(http, peer, patience):
    """Whoever cancels is obeyed, also when the transport's own timeout is over in the same step."""

    async def hang(reader, _writer):
        await reader.read(-1)

    def be_busy():  # until both timeouts are over, so that the event loop meets them together
        while time.monotonic() < started + 3 * TIMEOUT:
            pass

    sender = await http(await peer(hang), timeout=TIMEOUT)
    with contextlib.suppress(TransportError):
        await sender.send(message())  # what is loaded and looked up at first takes its time
    started = time.monotonic()
    asyncio.get_running_loop().call_later(TIMEOUT / 4, be_busy)
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(patience) as limit:
            await sender.send(message())
    assert not isinstance(caught.value, TransportError)
    assert limit.expired()
    assert asyncio.current_task().cancelling() == 0


def test_a_blocking_send_ends_in_time():
    """By the transport's timeout, or by that of the call."""
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}"
        started = time.monotonic()
        with sync.dial(url, timeout=TIMEOUT) as peer, pytest.raises(TransportError) as caught:
            peer.send(message())
        assert caught.value.code == "timeout"
        with sync.dial(url, timeout=30.0) as peer, pytest.raises(TimeoutError):
            peer.send(message(), timeout=TIMEOUT)
        assert time.monotonic() - started < 2 * TIMEOUT + SLACK


@pytest.mark.parametrize("blocking", [False, True])
def test_a_name_server_that_hangs_keeps_neither_the_send_nor_the_process(blocking):
    """A lookup cannot be ended; it is left behind."""
    script = f"""
        import asyncio, socket, time
        from mist.protocol import Message
        from mist.transport import HTTP, TransportTimeout, sync

        def hang(*args, **options):
            time.sleep(60)

        async def main():
            async with HTTP("http://name.example", timeout={TIMEOUT}) as peer:
                await peer.send(message)

        socket.getaddrinfo = hang
        message = Message.new("test", "acme.number", 1)
        try:
            if {blocking}:
                with sync.dial("http://name.example", timeout={TIMEOUT}) as peer:
                    peer.send(message)
            else:
                asyncio.run(main())
        except TransportTimeout as error:
            print(error)
    """
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert ended.stdout == "http://name.example/mist did not answer within 0.4 seconds\n"
    assert ended.stderr == ""
    assert time.monotonic() - started < 20
