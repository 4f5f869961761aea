"""Sending at the receiver's pace."""

import asyncio

import pytest

from mist.transport.backpressure import blocking_send
from mist.transport.channel import Channel
from mist.transport.errors import BufferFull, Rejected, TransportClosed
from mist.transport.testing import MockTransport


async def test_a_sender_waits_for_room_and_keeps_the_order(messages):
    """A channel of one place passes a hundred messages without loss."""
    channel, sent = Channel(size=1), messages(100)

    async def send():
        for message in sent:
            await blocking_send(channel, message)
        await channel.close()

    sending = asyncio.create_task(send())
    assert [message async for message in channel] == sent
    await sending


def test_the_callers_timeout_bounds_the_wait(virtually, messages):
    """Nobody receives: `asyncio.timeout` ends it, and the message was not sent."""

    async def scenario():
        channel = Channel(size=1)
        first, second = messages(2)
        await blocking_send(channel, first)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await blocking_send(channel, second)
        await channel.close()
        assert [message async for message in channel] == [first]

    virtually(scenario())


async def test_closing_ends_the_wait(messages):
    """A sender that waits for room in a channel that closes is told."""
    channel = Channel(size=1)
    first, second = messages(2)
    await channel.send(first)
    waiting = asyncio.create_task(blocking_send(channel, second))
    await asyncio.sleep(0)
    await channel.close()
    with pytest.raises(TransportClosed):
        await waiting


@pytest.mark.parametrize(
    "obstacle",
    [
        Rejected("busy", status=503),
        Rejected("busy", status=503, retry_after=0.5),
        BufferFull("full"),
        BufferFull("full", retry_after=2.0),
    ],
)
def test_a_lack_of_room_is_waited_out(virtually, messages, obstacle):
    """Here or at the peer, with or without a wish of its own."""
    mock = MockTransport(sends=[obstacle] * 12)
    (message,) = messages(1)

    async def scenario():
        await blocking_send(mock, message)
        return asyncio.get_running_loop().time()

    took = virtually(scenario())
    assert mock.sent == [message]
    assert 0 < took <= 24.1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
async def test_any_other_answer_is_raised_at_once(messages, status):
    """Only a lack of room is waited out."""
    mock = MockTransport(sends=[Rejected("no", status=status)])
    (message,) = messages(1)
    with pytest.raises(Rejected) as caught:
        await blocking_send(mock, message)
    assert caught.value.status == status
    assert mock.sent == []


@pytest.mark.parametrize(("wish", "waited"), [(1.0, 0.05), (30.0, 30.0)])
def test_a_peers_wish_for_more_than_a_second_is_granted(virtually, messages, wish, waited):
    """A second is the shortest that a peer can ask for; more is waited in full."""
    mock = MockTransport(sends=[Rejected("busy", status=503, retry_after=wish)])
    (message,) = messages(1)

    async def scenario():
        await blocking_send(mock, message)
        return asyncio.get_running_loop().time()

    assert virtually(scenario()) == pytest.approx(waited)
    assert mock.sent == [message]
