"""Batches between two transports: negotiated, invisible where unknown, fair to each message."""

import asyncio

import aiohttp
import pytest

from mist.protocol import Message
from mist.transport.backpressure import blocking_send
from mist.transport.errors import Rejected, TransportError
from mist.transport.http import HTTP


def message(number=0, size=0):
    """Make a message of a number, with some filling."""
    return Message.new("test", "acme.number", {"number": number, "filling": "x" * size})


def answering(read_request, seen, respond):
    """A peer that notes each request and answers what `respond(head, body)` returns."""

    async def handle(reader, writer):
        while True:
            head, body = await read_request(reader)
            seen.append((head, body))
            writer.write(respond(head, body))

    return handle


def answer(status, body=b"", *headers):
    """Put an answer together."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


ACCEPTS = "Accept-Post: application/json, application/x-ndjson"


async def test_a_peer_that_does_not_say_so_never_sees_a_batch(http, peer, read_request):
    """Against mist-go, each message is one POST of application/json."""
    seen = []
    sender = await http(await peer(answering(read_request, seen, lambda _head, _body: answer(202))))
    for _ in range(2):
        await asyncio.gather(*(sender.send(message(n)) for n in range(20)))
    assert len(seen) == 40
    for head, body in seen:
        assert b"content-type: application/json\r\n" in head.lower()
        Message.unmarshal(body)


async def test_a_peer_that_says_so_gets_batches_in_order(http, peer, read_request):
    """The first message negotiates; the rest travel together, as lines."""
    seen = []
    url = await peer(answering(read_request, seen, lambda _head, _body: answer(202, b"", ACCEPTS)))
    sender = await http(url, max_batch_messages=50)
    await sender.send(message(0))
    await asyncio.gather(*(sender.send(message(n)) for n in range(1, 100)))
    sizes = [body.count(b"\n") or 1 for _, body in seen]
    assert sizes == [1, 50, 49]
    lines = [line for _, body in seen for line in body.splitlines()]
    assert [Message.unmarshal(line).decode()["number"] for line in lines] == list(range(100))


async def test_batch_false_sends_no_batches(http, peer, read_request):
    """A sender can do without, whatever the peer takes."""
    seen = []
    url = await peer(answering(read_request, seen, lambda _head, _body: answer(202, b"", ACCEPTS)))
    sender = await http(url, batch=False)
    await sender.send(message())
    await asyncio.gather(*(sender.send(message(n)) for n in range(10)))
    assert len(seen) == 11


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "404 Not Found", "415 Unsupported", "405 No"]
)
async def test_a_peer_that_takes_batches_no_more_gets_the_same_messages_singly(
    http, peer, read_request, status
):
    """A listener replaced by an older one loses nothing."""
    seen = []

    def respond(head, _body):
        if len(seen) == 1:
            return answer(202, b"", ACCEPTS)
        return answer(status) if b"ndjson" in head else answer(202)

    sender = await http(await peer(answering(read_request, seen, respond)))
    await sender.send(message())
    await asyncio.gather(*(sender.send(message(n)) for n in range(10)))
    assert len(seen) == 1 + 1 + 10
    await asyncio.gather(*(sender.send(message(n)) for n in range(10)))
    assert len(seen) == 22


async def test_a_batch_too_long_for_the_peer_is_sent_singly(http, peer, read_request):
    """Small messages do not fail for the company they travel in."""
    seen = []

    def respond(_head, body):
        small = len(body) < 1000
        return answer(202 if small else "413 Content Too Large", b"", ACCEPTS)

    sender = await http(await peer(answering(read_request, seen, respond)))
    await sender.send(message())
    sends = [sender.send(message(n, size=2000 if n == 3 else 0)) for n in range(10)]
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert [n for n, result in enumerate(results) if result is not None] == [3]
    assert (results[3].status, results[3].code) == (413, "protocol")


async def test_a_payload_with_line_breaks_never_travels_in_a_batch(http):
    """Its bytes, and so its checksum, are kept; its neighbours' are too."""
    receiver = await http(listen="127.0.0.1:0")
    sender = await http(receiver.listen_url)
    broken = Message.unmarshal(
        b'{"version":"1","id":"a","source":"s","type":"t","payload":{\n"a":\n1}}'
    ).with_checksum()
    await sender.send(message())
    await receiver.receive()
    sent = [message(1), broken, message(2)]
    await asyncio.gather(*map(sender.send, sent))
    received = [await receiver.receive() for _ in sent]
    assert received == sent
    assert received[1].verify_checksum()


async def test_each_message_of_a_batch_has_its_own_fate(http):
    """Those that found room were sent; the others know that they were not, and when to retry."""
    receiver = await http(listen="127.0.0.1:0", inbox=5)
    sender = await http(receiver.listen_url)
    await sender.send(message(0))
    sends = [sender.send(message(n)) for n in range(1, 9)]
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert results[:4] == [None] * 4
    for error in results[4:]:
        assert isinstance(error, Rejected)
        assert (error.status, error.code, error.retry_after) == (503, "unavailable", 1.0)
        assert "full" in error.body
    assert [(await receiver.receive()).decode()["number"] for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_an_answer_that_tells_no_fates_rejects_the_whole_batch(http, peer, read_request):
    """No message is thought delivered on the word of somebody who did not say so."""
    seen = []

    def respond(head, _body):
        return answer(200, b"<html>" if b"ndjson" in head else b"", ACCEPTS)

    sender = await http(await peer(answering(read_request, seen, respond)))
    await sender.send(message())
    sends = [sender.send(message(n)) for n in range(3)]
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert [(type(r), r.status) for r in results] == [(Rejected, 200)] * 3


async def test_an_active_receiver_is_given_its_turn_before_a_message_is_refused(http):
    """A batch larger than the inbox fits where somebody takes from it."""
    receiver = await http(listen="127.0.0.1:0", inbox=8)
    sender = await http(receiver.listen_url)
    received = []

    async def receive():
        received.extend([m async for m in receiver])

    task = asyncio.create_task(receive())
    await sender.send(message())
    await asyncio.gather(*(sender.send(message(n)) for n in range(8)))
    await asyncio.gather(*(blocking_send(sender, message(n)) for n in range(30)))
    await receiver.close()
    await task
    assert len(received) == 39


async def test_a_dead_peer_ends_all_sends_of_a_batch_with_errors(http, peer, read_request):
    """A connection lost in the middle of an answer fails the batch, and the next connects anew."""
    seen = []

    async def handle(reader, writer):
        head, _ = await read_request(reader)
        seen.append(head)
        if b"ndjson" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        else:
            writer.write(answer(202, b"", ACCEPTS, "Connection: close"))

    sender = await http(await peer(handle))
    await sender.send(message())
    sends = [sender.send(message(n)) for n in range(10)]
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert [type(r) for r in results] == [TransportError] * 10
    assert {r.code for r in results} == {"transport"}
    await sender.send(message())


async def test_a_cancelled_sender_does_not_take_its_batch_along(http):
    """Cancelling one send of a batch in flight leaves the others' fate as it is."""
    receiver = await http(listen="127.0.0.1:0")
    async with HTTP(receiver.listen_url) as sender:
        await sender.send(message())
        tasks = [asyncio.create_task(sender.send(message(n))) for n in range(10)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[1:] == [None] * 9


async def test_a_batch_of_very_many_lines_is_refused_as_a_whole(http):
    """Else the texts of its refusals, fifty times its size, would take the listener's memory."""
    inbox = await http()
    await inbox.listen("127.0.0.1:0")
    headers = {"Content-Type": "application/x-ndjson"}
    line = message().marshal() + b"\n"
    async with aiohttp.ClientSession(headers=headers) as session:
        for lines in (b"x\n" * 16_385, b"\n" * 16_384 + line):
            async with session.post(inbox.listen_url, data=lines) as answer:
                assert answer.status == 413
                assert await answer.text() == "a batch has at most 16384 lines\n"
        async with session.post(inbox.listen_url, data=b"x\n" * 16_383 + line) as answer:
            fates = await answer.json()
    assert (fates["accepted"], len(fates["rejected"])) == (1, 16_383)
    assert (await inbox.receive()).type == "acme.number"
