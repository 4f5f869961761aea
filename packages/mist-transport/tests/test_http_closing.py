"""Closing: what was begun is finished, what was answered is kept, nothing is left behind."""

import asyncio
import contextlib
import time

import pytest

from mist.protocol import Message
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.http import HTTP


def message(number=0):
    """Make a message of a number."""
    return Message.new("test", "acme.number", {"number": number})


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("seed", range(5))
async def test_closing_under_load_keeps_everything_that_was_answered_202(http, batch, seed):
    """The sent and the received differ only by sends that ended with an error."""
    receiver = await http(listen="127.0.0.1:0", inbox=100_000)
    sender = await http(receiver.listen_url, batch=batch)
    sent = set()

    async def steadily(worker):
        for number in range(10_000):
            m = message(worker * 10_000 + number)
            await sender.send(m)
            sent.add(m.id)

    await sender.send(message())
    tasks = [asyncio.create_task(steadily(worker)) for worker in range(30)]
    # Real time, for real load to build up; another moment for each seed.
    await asyncio.sleep(0.05 + 0.01 * seed)
    await receiver.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(r, TransportError) for r in results)
    received = [m.id async for m in receiver]
    assert len(received) == len(set(received))
    assert len(sent) > 30
    assert sent <= set(received)


async def test_a_request_that_has_begun_is_finished(http):
    """Closing waits for its body, and it is received."""
    receiver = await http(listen="127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*receiver.addr.split(":"))
    body = message().marshal()
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
    await writer.drain()
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(receiver.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    writer.write(body)
    assert (await reader.read(-1)).startswith(b"HTTP/1.1 202")
    writer.close()
    await closing
    assert (await receiver.receive()).marshal() == body


async def test_a_request_that_does_not_end_is_cut_off_after_the_timeout(http):
    """Closing takes no longer than it was told."""
    receiver = await http(listen="127.0.0.1:0", shutdown_timeout=0.2)
    reader, writer = await asyncio.open_connection(*receiver.addr.split(":"))
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.05)
    start = time.monotonic()
    await receiver.close()
    assert 0.1 < time.monotonic() - start < 2.0
    with contextlib.suppress(ConnectionError):
        assert await reader.read(-1) == b""
    writer.close()


async def test_closing_is_idempotent_prompt_and_final(http):
    """Idle connections do not hold it up; later calls say that it is closed."""
    receiver = await http(listen="127.0.0.1:0")
    sender = await http(receiver.listen_url)
    await sender.send(message())
    await receiver.receive()
    waiting = asyncio.create_task(receiver.receive())
    await asyncio.sleep(0)
    start = time.monotonic()
    for transport in (receiver, sender, receiver, sender):
        await transport.close()
    assert time.monotonic() - start < 1.0
    for call in (
        waiting,
        receiver.receive(),
        sender.send(message()),
        sender.receive(),
        receiver.listen("127.0.0.1:0"),
    ):
        with pytest.raises(TransportClosed):
            await call


async def test_a_cancelled_close_goes_on_and_the_next_waits_for_it(http):
    """Whoever closes in a hurry leaks nothing."""
    receiver = await http(listen="127.0.0.1:0", shutdown_timeout=0.2)
    _, writer = await asyncio.open_connection(*receiver.addr.split(":"))
    writer.write(b"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await receiver.close()
    start = time.monotonic()
    await receiver.close()
    assert time.monotonic() - start > 0.1
    writer.close()
    with pytest.raises(TransportClosed):
        await receiver.receive()


async def test_the_port_is_free_after_closing(http):
    """The next listener gets the same address at once."""
    first = await http(listen="127.0.0.1:0")
    await first.close()
    second = await http(listen=first.addr)
    assert second.addr == first.addr


async def test_a_sender_that_closes_waits_for_what_is_in_flight(http, peer, read_request):
    """Sends that had begun return; those that come later do not begin."""

    async def slow(reader, writer):
        while True:
            await read_request(reader)
            await asyncio.sleep(0.1)
            writer.write(
                b"HTTP/1.1 202 OK\r\nAccept-Post: application/x-ndjson\r\nContent-Length: 0\r\n\r\n"
            )

    sender = await http(await peer(slow))
    single = asyncio.create_task(sender.send(message()))
    await asyncio.sleep(0.05)
    await sender.close()
    await single
    again = await http(await peer(slow))
    await again.send(message())
    batched = [asyncio.create_task(again.send(message())) for _ in range(5)]
    await asyncio.sleep(0.05)
    batched.append(asyncio.create_task(again.send(message())))
    await asyncio.sleep(0)
    await again.close()
    await asyncio.gather(*batched)
    with pytest.raises(TransportClosed):
        await again.send(message())


@pytest.mark.parametrize("batch", [True, False])
async def test_a_sender_that_closes_on_a_dead_peer_fails_what_is_in_flight(
    http, peer, read_request, batch
):
    """No send is left hanging, and closing is bounded by the timeout."""
    first = True

    async def once(reader, writer):
        nonlocal first
        await read_request(reader)
        if first:
            first = False
            writer.write(
                b"HTTP/1.1 202 OK\r\nAccept-Post: application/x-ndjson\r\nContent-Length: 0\r\n\r\n"
            )
        await reader.read(-1)

    sender = await http(await peer(once), timeout=0.3, batch=batch)
    await sender.send(message())
    sends = [asyncio.create_task(sender.send(message())) for _ in range(5)]
    await asyncio.sleep(0.05)
    start = time.monotonic()
    await sender.close()
    assert time.monotonic() - start < 2.0
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert all(isinstance(r, TransportError) for r in results)


async def test_no_task_outlives_the_transport():
    """Everything that was started has ended when `close` returns."""
    before = asyncio.all_tasks()
    async with HTTP() as receiver:
        await receiver.listen("127.0.0.1:0")
        async with HTTP(receiver.listen_url) as sender:
            await sender.send(message())
            await asyncio.gather(*(sender.send(message()) for _ in range(20)))
    assert asyncio.all_tasks() == before
