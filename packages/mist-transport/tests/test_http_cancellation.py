"""Cancelling sends and receives anywhere, over real connections, loses nothing."""

import asyncio
import random

import pytest

from mist.protocol import Message
from mist.transport.errors import TransportClosed


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("seed", range(6))
async def test_a_send_that_returned_is_received_exactly_once(http, batch, seed):
    """Whichever sends and receives are cancelled, and when."""
    chance = random.Random(seed)
    receiver = await http(listen="127.0.0.1:0", inbox=10_000)
    sender = await http(receiver.listen_url, batch=batch, max_batch_messages=7)
    received = []

    async def receive():
        received.append((await receiver.receive()).decode()["number"])

    async def receive_with_interruptions():
        while True:
            task = asyncio.create_task(receive())
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            except TransportClosed:
                return

    async def send(number):
        await sender.send(Message.new("test", "acme.number", {"number": number}))

    interrupted = asyncio.create_task(receive_with_interruptions())
    await send(-1)
    tasks = []
    for number in range(300):
        tasks.append(asyncio.create_task(send(number)))
        if chance.random() < 0.3:
            # Mostly a turn of the loop, sometimes long enough for an answer to arrive.
            await asyncio.sleep(0 if chance.random() < 0.8 else 0.001)
        if chance.random() < 0.4:
            chance.choice(tasks[-20:]).cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    returned = {n for n, result in enumerate(results) if result is None}
    assert {type(r) for r in results} == {type(None), asyncio.CancelledError}
    await sender.close()
    await receiver.close()
    await interrupted
    assert len(received) == len(set(received))
    assert returned <= set(received)


async def test_listening_can_be_cancelled_at_any_time_and_tried_again(http):
    """Nothing is left of an attempt; a socket that is left would be a warning, so an error."""
    for attempt in range(40):
        receiver = await http()
        listening = asyncio.create_task(receiver.listen("127.0.0.1:0"))
        # Real time, as a thread takes part: a tenth of a millisecond more each time.
        await asyncio.sleep(attempt * 0.0001)
        listening.cancel()
        (result,) = await asyncio.gather(listening, return_exceptions=True)
        if result is not None:
            assert isinstance(result, asyncio.CancelledError)
            await receiver.listen("127.0.0.1:0")
        sender = await http(receiver.listen_url)
        await sender.send(Message.new("test", "acme.number", {}))
        await receiver.receive()
        await sender.close()
        await receiver.close()


async def test_of_two_attempts_to_listen_at_once_one_is_refused(http):
    """No listener is forgotten."""
    receiver = await http()
    results = await asyncio.gather(
        *(receiver.listen("127.0.0.1:0") for _ in range(2)), return_exceptions=True
    )
    assert {getattr(result, "code", None) for result in results} == {None, "conflict"}
