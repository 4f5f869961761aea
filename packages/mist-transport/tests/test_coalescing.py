"""Sends put together into batches, without a network."""

import asyncio
import random

import pytest

from mist.transport.errors import Rejected, TransportClosed, TransportError, TransportTimeout
from mist.transport.http.coalescing import Coalescer


class Wire:
    """Takes batches, each when the test lets it."""

    def __init__(self):
        self.batches = []
        self.gates = []

    async def post(self, lines, headers):
        """Hold a batch until the test opens its gate."""
        self.batches.append((list(lines), dict(headers)))
        gate = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        return await gate or [None] * len(lines)


def coalescer(post, max_messages=100, max_bytes=1000):
    """Make a coalescer with small bounds."""
    return Coalescer(post, max_messages=max_messages, max_bytes=max_bytes)


def start(subject, *lines, headers=None):
    """Begin a send for each line."""
    return [asyncio.create_task(subject.send(line, headers or {})) for line in lines]


async def settle():
    """Let everything happen that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_send_alone_goes_at_once_and_those_behind_it_go_together():
    """What arrives during a request is the next request."""
    wire = Wire()
    subject = coalescer(wire.post)
    first = start(subject, b"1")
    await settle()
    rest = start(subject, b"2", b"3", b"4")
    await settle()
    assert [lines for lines, _ in wire.batches] == [[b"1"]]
    wire.gates[0].set_result(None)
    await asyncio.gather(*first)
    await settle()
    assert [lines for lines, _ in wire.batches] == [[b"1"], [b"2", b"3", b"4"]]
    wire.gates[1].set_result(None)
    await asyncio.gather(*rest)


async def test_batches_are_bounded_in_messages_and_bytes():
    """A line that is longer than the bound goes alone, and order is kept."""

    async def post(lines, _headers):
        sizes.append([len(line) for line in lines])
        return [None] * len(lines)

    sizes = []
    subject = coalescer(post, max_messages=3, max_bytes=20)
    await asyncio.gather(*start(subject, *(b"x" * n for n in (1, 2, 3, 4, 50, 10, 9, 8))))
    assert sizes == [[1, 2, 3], [4], [50], [10], [9, 8]]


async def test_a_line_that_is_broken_goes_alone_and_in_order():
    """Its bytes are kept as they are, which no batch could do."""

    async def post(lines, _headers):
        batches.append(lines)
        return [None] * len(lines)

    batches = []
    subject = coalescer(post)
    await asyncio.gather(*start(subject, b"1", b"2", b"{\n}", b"3", b"[\n]", b"{\n}", b"4"))
    assert batches == [[b"1", b"2"], [b"{\n}"], [b"3"], [b"[\n]"], [b"{\n}"], [b"4"]]


async def test_senders_woken_by_one_batch_are_all_in_the_next():
    """Steady senders travel in full batches, not in one of one and one of the rest."""

    async def post(lines, _headers):
        sizes.append(len(lines))
        await asyncio.sleep(0)
        return [None] * len(lines)

    async def steadily():
        for _ in range(10):
            await subject.send(b"x", {})

    sizes = []
    subject = coalescer(post)
    await asyncio.gather(*(steadily() for _ in range(8)))
    assert sizes == [8] * 10


async def test_each_send_gets_its_own_fate():
    """One rejected message does not fail its neighbours."""
    wire = Wire()
    subject = coalescer(wire.post)
    sends = start(subject, b"1", b"2", b"3")
    await settle()
    refusal = Rejected("no", status=400)
    wire.gates[0].set_result([None, refusal, None])
    assert await asyncio.gather(*sends, return_exceptions=True) == [None, refusal, None]


async def test_a_request_without_an_answer_fails_each_send_with_an_error_of_its_own():
    """Tracebacks and notes of one sender's error do not end up in another's."""
    wire = Wire()
    subject = coalescer(wire.post)
    sends = start(subject, b"1", b"2")
    await settle()
    wire.gates[0].set_exception(TransportError("gone", code="auth"))
    errors = await asyncio.gather(*sends, return_exceptions=True)
    assert [(type(e), str(e), e.code) for e in errors] == [(TransportError, "gone", "auth")] * 2
    assert errors[0] is not errors[1]


async def test_a_timeout_fails_those_that_waited_throughout_and_nobody_else():
    """A peer that hangs ends all who waited as long as a request may take, at once."""
    wire = Wire()
    subject = coalescer(wire.post, max_messages=1)
    early = start(subject, b"1", b"2", b"3")
    await settle()
    late = start(subject, b"4")
    await settle()
    # The fourth joined during the request too, but after it began.
    assert [lines for lines, _ in wire.batches] == [[b"1"]]
    wire.gates[0].set_exception(TransportTimeout("slow"))
    errors = await asyncio.gather(*early, return_exceptions=True)
    assert [type(e) for e in errors] == [TransportTimeout] * 3
    await settle()
    wire.gates[1].set_result(None)
    await asyncio.gather(*late)
    assert [lines for lines, _ in wire.batches] == [[b"1"], [b"4"]]


async def test_a_send_cancelled_while_it_waits_is_not_sent_and_one_in_flight_harms_no_other():
    """The request belongs to all who travel in it."""
    wire = Wire()
    subject = coalescer(wire.post)
    flying = start(subject, b"1", b"2")
    await settle()
    waiting = start(subject, b"3", b"4")
    await settle()
    for task in (flying[0], waiting[0]):
        task.cancel()
    await settle()
    wire.gates[0].set_result(None)
    await settle()
    wire.gates[1].set_result(None)
    results = await asyncio.gather(*flying, *waiting, return_exceptions=True)
    assert [type(result) for result in results] == [
        asyncio.CancelledError,
        type(None),
        asyncio.CancelledError,
        type(None),
    ]
    assert [lines for lines, _ in wire.batches] == [[b"1", b"2"], [b"4"]]


async def test_sends_with_other_headers_do_not_wait_and_do_not_mix():
    """A trace is one request's, so only sends of one trace share a request."""
    wire = Wire()
    subject = coalescer(wire.post)
    sends = start(subject, b"1") + start(subject, b"2", b"3", headers={"traceparent": "a"})
    await settle()
    assert wire.batches == [([b"1"], {}), ([b"2", b"3"], {"traceparent": "a"})]
    for gate in wire.gates:
        gate.set_result(None)
    await asyncio.gather(*sends)


async def test_closing_finishes_what_waits_and_fails_what_takes_too_long():
    """No send is left hanging."""
    wire = Wire()
    subject = coalescer(wire.post)
    done = start(subject, b"1")
    await settle()
    closing = asyncio.create_task(subject.close(10.0))
    await settle()
    wire.gates[0].set_result(None)
    await asyncio.gather(*done, closing)
    stuck = start(subject, b"2")
    await settle()
    stuck += start(subject, b"3")
    await settle()
    await subject.close(0.0)
    results = await asyncio.gather(*stuck, return_exceptions=True)
    assert [type(result) for result in results] == [TransportClosed] * 2


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_is_cancelled_when_nothing_is_lost_or_sent_twice(seed):
    """A send that returned was delivered once; one cancelled in the queue, never."""
    chance = random.Random(seed)
    delivered = []
    taken = set()

    async def post(lines, _headers):
        taken.update(lines)
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        if chance.random() < 0.1:
            raise TransportError("lost")
        fates = [None if chance.random() < 0.9 else Rejected("", status=503) for _ in lines]
        delivered.extend(line for line, fate in zip(lines, fates, strict=True) if fate is None)
        return fates

    subject = coalescer(post, max_messages=5)
    tasks = {}
    cancelled_in_the_queue = set()
    for number in range(300):
        line = str(number).encode()
        headers = {"traceparent": str(number % 2)} if seed % 2 else {}
        tasks[line] = asyncio.create_task(subject.send(line, headers))
        if chance.random() < 0.4:
            await asyncio.sleep(0)
        victim = chance.choice(list(tasks))
        if chance.random() < 0.3 and not tasks[victim].done():
            if victim not in taken:
                cancelled_in_the_queue.add(victim)
            tasks[victim].cancel()
    results = await asyncio.gather(*tasks.values(), return_exceptions=True)
    returned = {line for line, r in zip(tasks, results, strict=True) if r is None}
    rejected = {line for line, r in zip(tasks, results, strict=True) if isinstance(r, Rejected)}
    assert len(delivered) == len(set(delivered))
    assert returned <= set(delivered)
    assert not rejected & set(delivered)
    assert not cancelled_in_the_queue & set(delivered)
    await subject.close(1.0)


async def test_an_error_that_nobody_foresaw_is_that_batchs_alone() -> None:
    """Where memory runs out, those who were in that request are told, and those behind go on."""
    lines = []

    async def post(batch, _headers):
        lines.append(batch)
        if b"large" in batch:
            raise MemoryError
        await asyncio.sleep(0)
        return [None] * len(batch)

    sends = coalescer(post, max_messages=1)
    results = await asyncio.gather(
        *(sends.send(line, {}) for line in (b"one", b"large", b"two")), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), MemoryError, type(None)]
    await sends.send(b"three", {})
    assert lines == [[b"one"], [b"large"], [b"two"], [b"three"]]
