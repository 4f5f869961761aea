"""Messages between tasks."""

import asyncio
import gc

import pytest

from mist.transport.channel import Channel, channel_pair, named_channel
from mist.transport.errors import BufferFull, TransportClosed
from mist.transport.interface import Receiver, Sender, Transport


async def test_what_is_sent_is_received_in_order(messages):
    """A channel is a queue of messages."""
    channel = Channel()
    sent = messages(3)
    for message in sent:
        await channel.send(message)
    assert [await channel.receive() for _ in sent] == sent


async def test_a_full_channel_refuses_at_once(messages):
    """`BufferFull`, code unavailable: nothing is dropped in silence."""
    channel = Channel(size=1)
    first, second = messages(2)
    await channel.send(first)
    with pytest.raises(BufferFull) as caught:
        await channel.send(second)
    assert caught.value.code == "unavailable"
    assert await channel.receive() == first


async def test_after_close_what_was_sent_is_received_and_then_it_is_closed(messages):
    """Closing loses nothing; sending after it is an error, not a crash."""
    channel = Channel()
    (message,) = messages(1)
    await channel.send(message)
    await channel.close()
    await channel.close()
    with pytest.raises(TransportClosed):
        await channel.send(message)
    assert await channel.receive() == message
    with pytest.raises(TransportClosed):
        await channel.receive()


async def test_closing_ends_a_receive_that_waits():
    """Nobody waits for a closed channel."""
    channel = Channel()
    waiting = asyncio.create_task(channel.receive())
    await asyncio.sleep(0)
    await channel.close()
    with pytest.raises(TransportClosed):
        await waiting


async def test_iteration_ends_when_the_channel_is_closed(messages):
    """`async for` needs no sentinel, and `async with` closes."""
    sent = messages(3)
    async with Channel() as channel:
        for message in sent:
            await channel.send(message)
    assert [message async for message in channel] == sent


async def test_the_ends_of_a_pair_talk_to_each_other(messages):
    """What one end sends, the other receives, and closing one closes both."""
    one, other = channel_pair(size=2)
    question, answer = messages(2)
    await one.send(question)
    await other.send(answer)
    assert await other.receive() == question
    assert await one.receive() == answer
    await one.send(question)
    await one.close()
    with pytest.raises(TransportClosed):
        await other.send(answer)
    assert await other.receive() == question
    with pytest.raises(TransportClosed):
        await other.receive()


async def test_a_name_leads_to_one_channel_while_it_is_open(messages):
    """Both who know the name meet; a closed channel frees it, and so does one nobody holds."""
    one = named_channel("meeting")
    assert named_channel("meeting") is one
    await one.close()
    other = named_channel("meeting")
    assert other is not one
    (message,) = messages(1)
    await other.send(message)
    del one, other
    gc.collect()
    anew = named_channel("meeting")
    await anew.close()
    with pytest.raises(TransportClosed):
        await anew.receive()


def test_a_channel_is_a_transport():
    """The interfaces can be checked at run time; an object without the methods fails."""
    channel = Channel()
    assert isinstance(channel, Transport)
    assert isinstance(channel, Sender)
    assert isinstance(channel, Receiver)
    assert not isinstance(object(), Sender)
