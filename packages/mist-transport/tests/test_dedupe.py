"""Messages that come again are told by their ids, in bounded memory, and none is lost for it."""

import asyncio
import logging
import tracemalloc

import msgspec
import pytest

from mist.protocol import Message, ProtocolError
from mist.transport import (
    Channel,
    Dedupe,
    EndOfStream,
    InvalidSettingError,
    TransportClosed,
    with_dedupe,
    wrap,
)
from mist.transport.testing import FaultyTransport, MockTransport


def changed(message, **fields):
    """Copy a message, with other fields."""
    return msgspec.structs.replace(message, **fields)


async def received(transport):
    """Receive all there is."""
    return [message async for message in transport]


async def test_what_comes_again_is_received_once(messages):
    """Each message is received once, in the order of its first coming."""
    one, two, three = messages(3)
    mock = MockTransport([one, one, two, one, three, two])
    assert await received(wrap(mock, with_dedupe())) == [one, two, three]


async def test_a_network_that_doubles_and_reorders_is_made_good(messages):
    """Behind it, every message is there exactly once."""
    sent = messages(300)
    wire = Channel(1000)
    async with FaultyTransport(wire, seed=7, duplicate=0.3, reorder=0.3) as faulty:
        for message in sent:
            await faulty.send(message)
    came = await received(wrap(wire, with_dedupe()))
    assert sorted(message.decode()["n"] for message in came) == list(range(300))


@pytest.mark.parametrize(
    "fields",
    [{"payload": msgspec.Raw(b"7")}, {"type": "acme.other"}, {"source": "other"}],
    ids=lambda fields: next(iter(fields)),
)
async def test_an_id_given_twice_is_reported_and_loses_nothing(messages, fields):
    """What differs from the message whose id it has is received, each time, and told."""
    (one,) = messages(1)
    other = changed(one, **fields)
    told = []
    mock = MockTransport([one, other, one, other])
    assert await received(wrap(mock, with_dedupe(on_conflict=told.append))) == [one, other, other]
    assert told == [other, other]


async def test_an_id_given_twice_is_a_warning_by_default(messages, caplog):
    """Who gives no callback finds it in the log, with the id and without the payload."""
    (one,) = messages(1)
    mock = MockTransport([one, changed(one, payload=msgspec.Raw(b'"s3cret"'))])
    with caplog.at_level(logging.WARNING, "mist.transport"):
        await received(wrap(mock, with_dedupe()))
    assert f"message {one.id} of test (test.number) has the id of another" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_callback_that_nobody_could_await_is_refused():
    """A coroutine function would never run."""
    with pytest.raises(InvalidSettingError, match="on_conflict must be a plain function"):
        with_dedupe(on_conflict=asyncio.sleep)


async def test_a_callback_that_fails_costs_no_message(messages):
    """The conflicting message is received all the same."""

    def fail(_message):
        raise RuntimeError("boom")

    (one,) = messages(1)
    other = changed(one, type="acme.other")
    mock = MockTransport([one, other])
    assert await received(wrap(mock, with_dedupe(on_conflict=fail))) == [one, other]


def test_the_time_and_the_checksum_do_not_count(messages):
    """A message made again under its id, or sent on with a checksum, is the same message."""
    (one,) = messages(1)
    dedupe = Dedupe()
    assert not dedupe.repeats(one)
    assert dedupe.repeats(changed(one, timestamp_ns=5))
    assert dedupe.repeats(one.with_checksum())
    assert (dedupe.repeated, dedupe.conflicting) == (2, 0)


def test_no_two_different_messages_are_mixed_up():
    """Where one field ends and the next begins counts."""
    dedupe = Dedupe(on_conflict=lambda _message: None)
    first = Message("1", "id", "ab", "c", 0, msgspec.Raw(b"1"))
    assert not dedupe.repeats(first)
    for fields in ({"source": "a", "type": "bc"}, {"type": "c1", "payload": msgspec.Raw(b"")}):
        assert not dedupe.repeats(changed(first, **fields))
    assert dedupe.conflicting == 2


def test_beyond_the_window_a_message_is_new_again(messages):
    """The ids that came last are remembered, and a repetition counts as a coming."""
    a, b, c, d = messages(4)
    dedupe = Dedupe(3)
    assert [dedupe.repeats(m) for m in (a, b, c)] == [False] * 3
    assert dedupe.repeats(a)
    assert not dedupe.repeats(d)  # b, which came longest ago, makes room for it
    assert [dedupe.repeats(m) for m in (a, c, d)] == [True] * 3
    assert not dedupe.repeats(b)


def test_memory_is_bounded_whatever_the_ids_are_like():
    """Neither long ids nor long payloads, nor many of them, take more than their digests."""
    dedupe = Dedupe(1000)
    tracemalloc.start()
    try:
        for number in range(5000):
            text = f"{number}" * 1000
            dedupe.repeats(Message("1", text, "test", "acme.x", 0, msgspec.Raw(b"%d" % number)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 400 * dedupe.window


async def test_all_else_passes_as_it_is(messages):
    """Sends, lines that are no messages, and the end are those of the transport beneath."""
    one, two = messages(2)
    broken = ProtocolError("line 2")
    mock = MockTransport([one, broken, one, two])
    wrapped = wrap(mock, with_dedupe())
    assert await wrapped.receive() == one
    with pytest.raises(ProtocolError, match="line 2"):
        await wrapped.receive()
    assert await wrapped.receive() == two
    with pytest.raises(EndOfStream):
        await wrapped.receive()
    await wrapped.send(one)
    await wrapped.send(one)
    assert mock.sent == [one, one]
    await wrapped.close()
    with pytest.raises(TransportClosed):
        await wrapped.receive()


async def test_each_transport_has_a_memory_of_its_own(messages):
    """One middleware around two transports does not mix them."""
    (one,) = messages(1)
    middleware = with_dedupe()
    for _ in range(2):
        assert await received(wrap(MockTransport([one, one]), middleware)) == [one]


@pytest.mark.parametrize("make", [Dedupe, with_dedupe])
def test_a_window_of_none_is_refused(make):
    """It is an error where it is written, not at the first message."""
    with pytest.raises(InvalidSettingError, match="cannot be 0"):
        make(0)
