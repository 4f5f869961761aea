"""The transports for tests: scripted, faulty, recorded and replayed."""

import asyncio
import json
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mist.protocol import Message, ProtocolError
from mist.transport.channel import Channel, channel_pair
from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    InvalidSettingError,
    TransportClosed,
    TransportError,
)
from mist.transport.testing import (
    FaultyTransport,
    MockTransport,
    Recorder,
    ReplayMismatch,
    replay,
)


async def test_a_mock_follows_its_script(messages):
    """It returns messages, raises errors, ends, and keeps what was sent."""
    first, second = messages(2)
    mock = MockTransport([first, ProtocolError("bad"), second], sends=[None, BufferFull("full")])
    assert await mock.receive() == first
    with pytest.raises(ProtocolError):
        await mock.receive()
    assert await mock.receive() == second
    with pytest.raises(EndOfStream):
        await mock.receive()
    await mock.send(first)
    with pytest.raises(BufferFull):
        await mock.send(second)
    mock.fail_next_send(TransportError("lost"))
    with pytest.raises(TransportError, match="lost"):
        await mock.send(second)
    await mock.send(second)
    assert mock.sent == [first, second]


async def test_a_quiet_mock_waits_to_be_fed_or_closed(messages):
    """Like a peer that has nothing to say yet."""
    mock = MockTransport(quiet=True)
    (message,) = messages(1)
    waiting = asyncio.create_task(mock.receive())
    await asyncio.sleep(0)
    mock.feed(message)
    assert await waiting == message
    waiting = asyncio.create_task(mock.receive())
    await asyncio.sleep(0)
    await mock.close()
    with pytest.raises(TransportClosed):
        await waiting
    assert mock.closed
    with pytest.raises(TransportClosed):
        await mock.send(message)


async def pass_through(count, messages, **chances):
    """Send messages through faults into a channel, and return what was sent and what came."""
    channel = Channel(size=4 * count)
    faulty = FaultyTransport(channel, max_delay=0.01, **chances)
    sent = messages(count)
    for message in sent:
        await faulty.send(message)
    await faulty.close()
    return sent, [message async for message in channel], faulty.faults


async def receive_through(count, messages, **chances):
    """Receive messages through faults from a channel, and return what was there and what came."""
    channel = Channel(size=4 * count)
    sent = messages(count)
    for message in sent:
        await channel.send(message)
    await channel.close()
    faulty = FaultyTransport(channel, max_delay=0.01, **chances)
    return sent, [message async for message in faulty], faulty.faults


BOTH_WAYS = pytest.mark.parametrize("way", [pass_through, receive_through])


@BOTH_WAYS
def test_without_faults_everything_passes(virtually, messages, way):
    """The defaults disturb nothing."""
    sent, came, faults = virtually(way(50, messages, seed=1))
    assert came == sent
    assert not +faults


@BOTH_WAYS
def test_what_is_lost_is_counted(virtually, messages, way):
    """The counter accounts for every message that did not come."""
    sent, came, faults = virtually(way(200, messages, seed=1, loss=0.25))
    assert 20 < faults["loss"] < 90
    assert len(came) == len(sent) - faults["loss"]
    assert [message for message in sent if message in came] == came


@BOTH_WAYS
def test_duplicates_come_twice(virtually, messages, way):
    """Under the same id, one after the other."""
    sent, came, faults = virtually(way(200, messages, seed=1, duplicate=0.25))
    assert len(came) == len(sent) + faults["duplicate"] > len(sent)
    assert set(Counter(message.id for message in came).values()) == {1, 2}


@BOTH_WAYS
def test_reordering_loses_and_doubles_nothing(virtually, messages, way):
    """The order differs, the messages do not."""
    sent, came, faults = virtually(way(200, messages, seed=1, reorder=0.25))
    assert faults["reorder"] > 20
    assert came != sent
    assert sorted(m.id for m in came) == sorted(m.id for m in sent)


@BOTH_WAYS
def test_corruption_is_seen_by_the_checksum_alone(virtually, messages, way):
    """The payload is other JSON, and its checksum says so, also where there was none before."""
    sent, came, faults = virtually(way(200, messages, seed=1, corrupt=0.25))
    broken = [message for message in came if not message.verify_checksum()]
    assert len(broken) == faults["corrupt"] > 20
    originals = {message.id: message for message in sent}
    for message in broken:
        assert message.payload != originals[message.id].payload
        assert Message.unmarshal(message.marshal()).decode() is not Ellipsis
    assert all(m == originals[m.id] for m in came if m not in broken)


@pytest.mark.parametrize("payload", [{}, None, [], "", 0, {"deep": [{"a": None}]}])
async def test_any_payload_can_be_corrupted(payload):
    """Even one of which no bit can be changed into other JSON."""
    channel = Channel()
    await FaultyTransport(channel, seed=1, corrupt=1.0).send(Message.new("test", "t", payload))
    message = await channel.receive()
    assert not message.verify_checksum()
    message.decode()


async def test_a_message_without_a_payload_has_nothing_to_corrupt():
    """It passes as it is, and is not counted."""
    channel = Channel()
    message = Message(version="1", id="x", source="s", type="t")
    faulty = FaultyTransport(channel, seed=1, corrupt=1.0)
    await faulty.send(message)
    assert await channel.receive() == message
    assert not +faulty.faults


async def test_delays_are_slept_by_the_sleep_that_was_given(messages):
    """No delay is longer than `max_delay`."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    channel = Channel()
    faulty = FaultyTransport(channel, seed=1, delay=1.0, max_delay=2.0, sleep=sleep)
    for message in messages(20):
        await faulty.send(message)
        assert await faulty.receive() == message
    assert len(slept) == 40
    assert max(slept) > 1.0
    assert all(0 <= seconds <= 2.0 for seconds in slept)


@BOTH_WAYS
def test_the_same_seed_gives_the_same_faults(virtually, messages, way):
    """And another seed gives others."""

    def run(seed):
        chances = dict.fromkeys(["loss", "delay", "duplicate", "reorder", "corrupt"], 0.2)
        _, came, faults = virtually(way(100, messages, seed=seed, **chances))
        return [bytes(message.payload) for message in came], faults

    assert run(7) == run(7)
    assert run(7) != run(8)


async def test_a_disconnection_ends_every_call_and_loses_nothing_that_arrived(messages):
    """The one who draws it, the one who waits, and all later ones get an error."""
    one, other = channel_pair()
    faulty = FaultyTransport(one, seed=1, disconnect=1.0)
    (message,) = messages(1)
    waiting = asyncio.create_task(FaultyTransport(one, seed=1).receive())
    await asyncio.sleep(0)
    with pytest.raises(TransportError, match="disconnected"):
        await faulty.send(message)
    with pytest.raises(TransportClosed):
        await waiting
    with pytest.raises(TransportError, match="disconnected"):
        await faulty.receive()
    with pytest.raises(TransportClosed):
        await other.send(message)
    await faulty.close()
    assert faulty.faults["disconnect"] == 1


async def test_a_disconnection_while_receiving_leaves_what_had_arrived(messages):
    """It can still be received, as from any transport that was closed."""
    channel, sent = Channel(), messages(3)
    for message in sent:
        await channel.send(message)
    faulty = FaultyTransport(channel, seed=1, disconnect=1.0)
    with pytest.raises(TransportError, match="disconnected"):
        await faulty.receive()
    assert [await faulty.receive() for _ in sent] == sent
    with pytest.raises(TransportError, match="disconnected"):
        await faulty.receive()


def test_a_message_held_back_passes_after_the_longest_delay(virtually, messages):
    """Where no other comes to overtake it: in both directions."""

    async def scenario():
        one, other = channel_pair()
        (message,) = messages(1)
        await FaultyTransport(one, seed=1, reorder=1.0, max_delay=2.0).send(message)
        received = await FaultyTransport(other, seed=1, reorder=1.0, max_delay=3.0).receive()
        assert received == message
        return asyncio.get_running_loop().time()

    assert virtually(scenario()) == pytest.approx(5.0)


def test_a_message_held_back_waits_for_room(virtually, messages):
    """It was taken, so that a full channel must not lose it."""

    async def scenario():
        channel = Channel(size=1)
        late, first = messages(2)
        await channel.send(first)
        faulty = FaultyTransport(channel, seed=1, reorder=1.0, max_delay=1.0)
        await faulty.send(late)
        await asyncio.sleep(10)
        assert await channel.receive() == first
        assert await channel.receive() == late
        await faulty.close()

    virtually(scenario())


@pytest.mark.parametrize("chance", [-0.1, 1.1])
def test_what_is_no_probability_is_refused(chance):
    """The error names the fault."""
    with pytest.raises(InvalidSettingError, match="loss is a probability, expected 0 to 1"):
        FaultyTransport(Channel(), seed=1, loss=chance)


async def test_a_recording_can_be_replayed(messages, tmp_path):
    """Both directions are written as JSON lines, and what was received comes again."""
    question, answer, last = messages(3)
    path = tmp_path / "talk.jsonl"
    times = iter([11, 22, 33])
    mock = MockTransport([answer, last])
    async with Recorder(mock, path, clock_ns=lambda: next(times)) as recorder:
        await recorder.send(question)
        assert [message async for message in recorder] == [answer, last]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["time_ns"], line["direction"]) for line in lines] == [
        (11, "sent"),
        (22, "received"),
        (33, "received"),
    ]
    assert lines[0]["message"] == json.loads(question.marshal())
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with replay(path) as again:
        assert [message async for message in again] == [answer, last]
        await again.send(last)
        assert again.sent == [last]


async def test_only_what_passed_is_recorded(messages):
    """A send that failed is not in the list; a list is a recording too."""
    records = []
    first, second = messages(2)
    recorder = Recorder(MockTransport([second], sends=[BufferFull("full")]), records)
    with pytest.raises(BufferFull):
        await recorder.send(first)
    await recorder.receive()
    assert [(record.direction, record.message) for record in records] == [("received", second)]
    assert [message async for message in replay(records)] == [second]


async def test_a_recording_goes_on_where_an_earlier_one_ended(messages, tmp_path):
    """The file is appended to."""
    path = tmp_path / "talk.jsonl"
    sent = messages(2)
    for message in sent:
        async with Recorder(MockTransport([message]), path) as recorder:
            await recorder.receive()
    assert [message async for message in replay(path)] == sent


async def test_a_recording_that_cannot_be_written_fails_at_the_end(messages, tmp_path):
    """No message is lost to it, and `close` tells."""
    mock = MockTransport()
    recorder = Recorder(mock, tmp_path)
    await recorder.send(*messages(1))
    with pytest.raises(TransportError, match="cannot record to") as caught:
        await recorder.close()
    assert caught.value.code == "validation"
    assert mock.closed
    assert len(mock.sent) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
async def test_a_recording_onto_a_full_disk_says_so(messages):
    """Code unavailable, with the path."""
    recorder = Recorder(MockTransport(), "/dev/full")
    await recorder.send(*messages(1))
    with pytest.raises(TransportError, match="cannot record to /dev/full") as caught:
        await recorder.close()
    assert caught.value.code == "unavailable"


async def test_what_is_received_after_closing_is_recorded_too(messages, tmp_path):
    """Neither the message is lost that the transport beneath still had, nor its record."""
    path = tmp_path / "talk.jsonl"
    sent = messages(2)
    recorder = Recorder(Channel(), path)
    for message in sent:
        await recorder.send(message)
    await recorder.close()
    assert [await recorder.receive() for _ in sent] == sent
    await recorder.close()
    assert [message async for message in replay(path)] == sent


async def test_a_transport_that_fails_to_close_keeps_no_recording_from_its_end(messages, tmp_path):
    """The recording is complete all the same."""

    class Stuck(MockTransport):
        async def close(self):
            raise TransportError("stuck")

    path = tmp_path / "talk.jsonl"
    sent = messages(1)
    recorder = Recorder(Stuck(sent), path)
    await recorder.receive()
    with pytest.raises(TransportError, match="stuck"):
        await recorder.close()
    assert [message async for message in replay(path)] == sent


FULL_BEFORE_THE_END = """
import asyncio, resource, sys
from mist.protocol import Message
from mist.transport.testing import MockTransport, Recorder

async def main():
    recorder = Recorder(MockTransport(), sys.argv[1])
    await recorder.send(Message.new("test", "test.text", "x" * 100))
    try:
        await recorder.close()
    except OSError as error:
        print(error)

resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no limit on files")
def test_a_disk_that_is_full_before_the_end_of_a_recording_says_so(tmp_path):
    """What was written in part was not written."""
    path = tmp_path / "talk.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_BEFORE_THE_END, path],
        check=True,
        capture_output=True,
        text=True,
    )
    assert (done.stderr, path.stat().st_size) == ("", 100)
    assert done.stdout.startswith(f"cannot record to {path}: ")


async def test_a_replay_can_check_what_is_sent(messages):
    """Source, type and payload count; the id and the time differ from run to run."""
    records = []
    for message in messages(2):
        await Recorder(MockTransport(), records).send(message)
    again = replay(records, check_sends=True)
    first, second = messages(2)
    with pytest.raises(ReplayMismatch) as caught:
        await again.send(second)
    assert caught.value.code == "conflict"
    await again.send(first)
    assert [message.decode() for message in await again.unsent()] == [{"n": 1}]
    await again.send(second)
    with pytest.raises(ReplayMismatch, match="no more sends"):
        await again.send(second)
    await again.close()
    with pytest.raises(TransportClosed):
        await again.send(first)
    with pytest.raises(TransportClosed):
        await again.receive()


async def test_a_recording_that_is_none_is_refused(tmp_path):
    """A file that is missing, and a line that is no record, each named."""
    with pytest.raises(TransportError, match="cannot replay") as missing:
        await replay(tmp_path / "nothing").receive()
    assert missing.value.code == "not_found"
    path = tmp_path / "talk.jsonl"
    path.write_text('{"direction": "sideways"}\n')
    with pytest.raises(ProtocolError, match=r"talk.jsonl, line 1: not a record"):
        await replay(path).receive()
