"""With `manual_ack` a peer is answered when the receiver says that its messages are safe."""

import asyncio

import pytest

from mist.protocol import marshal_lines
from mist.transport.errors import TransportTimeout

TURNS = 0.1  # seconds of real time, in which an answer that comes too early would have come


async def answered(sending):
    """Tell whether a send ends before long."""
    return bool((await asyncio.wait([sending], timeout=TURNS))[0])


async def test_a_send_ends_with_its_acknowledgement(http, messages) -> None:
    """To have received a message is not enough."""
    receiver = await http(listen="127.0.0.1:0", manual_ack=True)
    sender = await http(receiver.listen_url)
    sending = asyncio.create_task(sender.send(messages(1)[0]))
    await receiver.receive()
    assert not await answered(sending)
    receiver.acknowledge()
    await sending


@pytest.mark.parametrize("batch", [True, False])
async def test_acknowledgements_are_in_the_order_of_the_messages(http, messages, batch) -> None:
    """A request waits for all of its messages, and for none of those that came after it."""
    receiver = await http(listen="127.0.0.1:0", manual_ack=True)
    sender = await http(receiver.listen_url, batch=batch)
    first = asyncio.create_task(sender.send(messages(1)[0]))
    await receiver.receive()
    later = asyncio.gather(*(sender.send(message) for message in messages(20)))
    if not batch:  # with batches, they wait for the answer to the first
        for _ in range(20):
            await receiver.receive()
    receiver.acknowledge()
    await first
    receiver.acknowledge(19)
    assert not await answered(later)
    receiver.acknowledge()
    await later


async def test_who_gives_up_waiting_keeps_nobody_else(http, messages) -> None:
    """A sender that times out is not answered; its message counts like the others."""
    receiver = await http(listen="127.0.0.1:0", manual_ack=True)
    impatient = await http(receiver.listen_url, timeout=0.2)
    patient = await http(receiver.listen_url)
    with pytest.raises(TransportTimeout):
        await impatient.send(messages(1)[0])
    sending = asyncio.create_task(patient.send(messages(1)[0]))
    for _ in range(2):
        await receiver.receive()
    receiver.acknowledge(2)
    await sending


async def test_closing_answers_whoever_waits(http, messages) -> None:
    """What peers are told was taken can still be received."""
    receiver = await http(listen="127.0.0.1:0", manual_ack=True)
    sender = await http(receiver.listen_url)
    sending = [asyncio.create_task(sender.send(message)) for message in messages(3)]
    received = [await receiver.receive()]
    await receiver.close()
    ended = await asyncio.gather(*sending, return_exceptions=True)
    received += [message async for message in receiver]
    taken = [m for m, error in zip(messages(3), ended, strict=True) if error is None]
    assert [message.payload for message in received] == [message.payload for message in taken]


async def test_without_it_an_acknowledgement_changes_nothing(http, messages) -> None:
    """A message is taken when it stands in the inbox."""
    receiver = await http(listen="127.0.0.1:0")
    sender = await http(receiver.listen_url)
    receiver.acknowledge(5)
    await sender.send(messages(1)[0])
    assert (await receiver.receive()).payload == messages(1)[0].payload


async def test_a_batch_that_is_refused_in_part_is_answered_for_the_rest(
    http, posting, messages
) -> None:
    """A line that is no message is nothing to be acknowledged."""
    receiver = await http(listen="127.0.0.1:0", manual_ack=True)
    body = marshal_lines(messages(2)) + b"no message\n"
    request = asyncio.create_task(posting(receiver, body))
    for _ in range(2):
        await receiver.receive()
    assert not await answered(request)
    receiver.acknowledge(2)
    assert b'"accepted":2' in await request


@pytest.fixture
def posting():
    """Return a function that posts a batch, and returns the answer."""

    async def post(receiver, body):
        reader, writer = await asyncio.open_connection(*receiver.addr.split(":"))
        writer.write(
            b"POST /mist HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        try:
            return await reader.read()
        finally:
            writer.close()

    return post
