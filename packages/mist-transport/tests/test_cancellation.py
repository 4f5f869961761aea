"""Cancelled at every await point, in every moment that a scheduler allows, nothing is lost.

A call is driven through its suspensions by hand. At the n-th of them it is cancelled, either
while it waits there, or in the very step in which what it waits for has happened. Every n is
tried, until the call gets through without being cancelled.
"""

import asyncio
import itertools
from contextlib import nullcontext, suppress
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mist.protocol import Message
from mist.transport.backpressure import blocking_send
from mist.transport.channel import Channel
from mist.transport.errors import BufferFull, TransportClosed, TransportError
from mist.transport.layer import Layer, wrap
from mist.transport.resilient import Resilient
from mist.transport.retrying import with_retry
from mist.transport.testing import FaultyTransport


class _CancelledAt:
    """Awaits a coroutine, and cancels the task at its n-th suspension."""

    def __init__(self, work, suspension, when):
        self.work, self.suspension, self.when = work, suspension, when
        self.happened = False

    def __await__(self):
        task, steps = asyncio.current_task(), self.work.__await__()
        send, value = steps.send, None
        for number in itertools.count():
            try:
                awaited = send(value)
            except StopIteration as end:
                return end.value
            if number == self.suspension:
                self.happened = True
                if self.when == "waiting":
                    task.cancel()
                elif awaited is None:
                    asyncio.get_running_loop().call_soon(task.cancel)
                else:
                    # Called before the task's own callback: woken and cancelled in one step.
                    awaited.add_done_callback(lambda _: task.cancel())
            try:
                value, send = (yield awaited), steps.send
            except BaseException as exc:  # noqa: BLE001  # passed on into the work
                value, send = exc, steps.throw

    async def run(self):
        """Return what the work returns, or None where it was cancelled."""
        try:
            return await self
        except asyncio.CancelledError:
            if not self.happened:
                raise
            asyncio.current_task().uncancel()
            return None


class _Line(Layer):
    """A connection to a channel that outlives it: closing ends the calls of this line only."""

    def __init__(self, inner):
        super().__init__(inner)
        self.closed = False
        self.waiting = set()

    async def send(self, message):
        if self.closed:
            raise TransportClosed("the line is closed")
        await self.inner.send(message)

    async def receive(self):
        if self.closed:
            raise TransportClosed("the line is closed")
        limit = asyncio.timeout(None)
        self.waiting.add(limit)
        try:
            async with limit:
                return await self.inner.receive()
        except TimeoutError:
            raise TransportClosed("the line was closed") from None
        finally:
            self.waiting.discard(limit)

    async def close(self):
        self.closed = True
        for limit in self.waiting:
            limit.reschedule(0)


class _Unsteady(_Line):
    """Fails now and then before it passes a call on, and takes its time."""

    chance = Random()

    async def _disturb(self):
        await asyncio.sleep(0)
        if self.chance.random() < 0.3:
            raise TransportError("lost")
        await asyncio.sleep(0.01)

    async def send(self, message):
        await self._disturb()
        await super().send(message)

    async def receive(self):
        await self._disturb()
        return await super().receive()


class _Policy:
    def waits(self):
        return [0.01] * 10


def faulty(channel):
    """Return a line to the channel that disturbs every message."""
    return FaultyTransport(
        _Line(channel), seed=3, delay=0.9, duplicate=0.2, reorder=0.3, max_delay=0.05
    )


STACKS = {
    "channel": lambda channel: channel,
    "retry": lambda channel: wrap(_Unsteady(channel), with_retry(_Policy())),
    "resilient": lambda channel: Resilient(lambda: _Unsteady(channel)),
    "resilient, async dial": lambda channel: Resilient(lambda: slow_dial(_Unsteady(channel))),
    "faulty": faulty,
    "resilient over faulty": lambda channel: Resilient(lambda: faulty(channel)),
    "retry over resilient": lambda channel: wrap(
        Resilient(lambda: _Unsteady(channel)), with_retry(_Policy())
    ),
}


async def slow_dial(transport):
    """Dial with an await point."""
    await asyncio.sleep(0.01)
    return transport


def numbers(received):
    """Return the numbers in the messages."""
    return [message.decode()["n"] for message in received]


@pytest.mark.parametrize("when", ["waiting", "woken"])
@pytest.mark.parametrize("stack", STACKS)
def test_a_cancelled_receive_loses_no_message(virtually, messages, stack, when):
    """Whatever is sent is received, by the calls that were not cancelled."""

    async def scenario(suspension):
        _Unsteady.chance.seed(5)
        channel = Channel(size=2)
        transport = STACKS[stack](channel)
        sent, received = messages(12), []

        async def send():
            for message in sent:
                await asyncio.sleep(0.02)
                await blocking_send(channel, message)

        async def receive():
            while {m.id for m in received} != {m.id for m in sent}:
                received.append(await transport.receive())

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.07)
        cancelled = _CancelledAt(transport.receive(), suspension, when)
        message = await cancelled.run()
        if message is not None:
            received.append(message)
        async with asyncio.timeout(60):
            await receive()
        await sending
        if "faulty" not in stack:
            assert numbers(received) == list(range(12))
        return cancelled.happened

    explored = explore(virtually, scenario)
    assert explored or stack == "channel"


@pytest.mark.parametrize("when", ["waiting", "woken"])
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("way", ["send", "blocking_send"])
def test_a_cancelled_send_loses_no_other_message(virtually, messages, stack, when, way):
    """What was sent before and after it, and by others at the same time, arrives."""

    async def scenario(suspension):
        _Unsteady.chance.seed(5)
        channel = Channel(size=2)
        transport = STACKS[stack](channel)
        first, victim, bystander, last = messages(4)
        received = []

        async def receive():
            try:
                while True:
                    await asyncio.sleep(0.03)
                    received.append(await channel.receive())
            except TransportClosed:
                pass

        receiving = asyncio.create_task(receive())
        async with asyncio.timeout(60):
            await blocking_send(transport, first)
            beside = asyncio.create_task(blocking_send(transport, bystander))
            send = transport.send(victim) if way == "send" else blocking_send(transport, victim)
            cancelled = _CancelledAt(send, suspension, when)
            with suppress(BufferFull) if way == "send" else nullcontext():
                await cancelled.run()
            await blocking_send(transport, last)
            await beside
            await transport.close()
            await channel.close()
            await receiving
        delivered = {m.id for m in received}
        assert {first.id, bystander.id, last.id} <= delivered
        if not cancelled.happened and way == "blocking_send":
            assert victim.id in delivered
        return cancelled.happened

    explored = explore(virtually, scenario)
    assert explored or stack == "channel"


@pytest.mark.parametrize("when", ["waiting", "woken"])
def test_a_cancelled_wait_for_room_leaves_the_room_to_others(virtually, messages, when):
    """Of three senders that wait for one place, one is cancelled; the others get through."""

    async def scenario(suspension):
        channel = Channel(size=1)
        sent = messages(4)
        await channel.send(sent[0])
        cancelled = _CancelledAt(blocking_send(channel, sent[1]), suspension, when)
        victim = asyncio.create_task(cancelled.run())
        others = [asyncio.create_task(blocking_send(channel, message)) for message in sent[2:]]
        await asyncio.sleep(1)
        received = [await channel.receive()]
        async with asyncio.timeout(10):
            while not all(task.done() for task in others):
                received.append(await channel.receive())
                await asyncio.sleep(0)
        await victim
        await channel.close()
        received += [message async for message in channel]
        expected = sent if not cancelled.happened else [sent[0], *sent[2:]]
        assert sorted(m.id for m in received) == sorted(m.id for m in expected)
        return cancelled.happened

    assert explore(virtually, scenario)


def explore(virtually, scenario):
    """Run a scenario with every suspension, and return how many there were."""
    for suspension in range(500):
        if not virtually(scenario(suspension)):
            return suspension
    raise AssertionError("the call never gets through")


@settings(max_examples=60, deadline=None)
@example(  # a line that dies while it holds messages back, and nobody receives
    seed=923221,
    chances={"delay": 0.0, "duplicate": 0.5, "reorder": 0.1, "disconnect": 0.5},
    size=1,
    patience=[0.03125, 0.03125, 0.25, 0.0],
)
@given(
    seed=st.integers(0, 2**32),
    chances=st.fixed_dictionaries(
        {
            name: st.sampled_from([0.0, 0.1, 0.5])
            for name in ("delay", "duplicate", "reorder", "disconnect")
        }
    ),
    size=st.integers(1, 4),
    patience=st.lists(st.floats(0.0, 0.3), min_size=1, max_size=8),
)
def test_on_a_bad_network_impatient_callers_lose_nothing(virtually, seed, chances, size, patience):
    """Senders and receivers that give up and try again, on a line that fails all the time.

    Every message whose send returned arrives, but for those that a dying line says it has lost;
    none arrives that was not sent.
    """
    count = 12

    async def scenario():
        channel, lines = Channel(size), []

        def dial():
            line = _Line(channel)
            lines.append(FaultyTransport(line, seed=seed + len(lines), max_delay=0.1, **chances))
            return lines[-1]

        def lost():
            return sum(line.faults["loss"] for line in lines)

        sender, receiver = Resilient(dial, jitter=lambda: 0.5), Resilient(dial, jitter=lambda: 0.5)
        sent = [Message.new("test", "test.number", {"n": n}) for n in range(count)]
        received = []
        patiences = itertools.cycle(patience)

        async def persist(work):
            attempt = 0
            while True:
                try:
                    async with asyncio.timeout(next(patiences) + 0.1 * attempt):
                        return await work()
                except TimeoutError:
                    attempt += 1

        async def send(part):
            for message in part:
                await persist(lambda message=message: blocking_send(sender, message))

        async def receive():
            while True:
                received.append(await persist(receiver.receive))

        async with asyncio.timeout(3000):
            receiving = asyncio.create_task(receive())
            await asyncio.gather(send(sent[::2]), send(sent[1::2]))
            while len({m.id for m in received}) + lost() < count:
                await asyncio.sleep(1)
        receiving.cancel()
        await sender.close()
        await receiver.close()
        missing = {m.id for m in sent} - {m.id for m in received}
        assert len(missing) <= lost()
        assert {m.id for m in received} <= {m.id for m in sent}

    virtually(scenario())
