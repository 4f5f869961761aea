"""Reconnecting: what is made good, what is not, and how it ends."""

import asyncio

import pytest

from mist.protocol import MessageTooLarge, ProtocolError
from mist.transport.backpressure import blocking_send
from mist.transport.channel import Channel
from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    InvalidSettingError,
    Rejected,
    TransportClosed,
    TransportError,
    TransportTimeout,
    WrongTransportError,
)
from mist.transport.resilient import Resilient
from mist.transport.testing import MockTransport

LOSSES = [
    TransportError("lost"),
    TransportTimeout("late"),
    TransportClosed("gone"),
    TransportError("no space", code="unavailable"),
    ConnectionResetError("reset"),
]
ANSWERS = [
    Rejected("busy", status=503),
    Rejected("broken", status=500),
    BufferFull("full"),
    ProtocolError("bad"),
    MessageTooLarge(2, 1),
    TransportError("wrong token", code="auth"),
    TransportError("no such thing", code="not_found"),
    TransportError("taken", code="conflict"),
    TransportError("bad address", code="validation"),
    RuntimeError("a bug"),
]


def dialling(*transports):
    """Return a dial that gives these in turn: a transport, or an error to raise."""
    left = list(transports)

    def dial():
        made = left.pop(0)
        if isinstance(made, Exception):
            raise made
        return made

    return dial


class _Virtual:
    """Sleeping that takes no time and is written down; jitter that changes nothing."""

    def __init__(self):
        self.slept = []

    async def __call__(self, seconds):
        self.slept.append(round(seconds, 6))
        await asyncio.sleep(0)

    @property
    def options(self):
        return {"sleep": self, "jitter": lambda: 0.5}


async def test_nothing_is_dialled_before_it_is_needed(messages):
    """Making one connects nothing; the first call does, through a plain or an async dial."""
    mock, dials = MockTransport(), []

    async def dial():
        dials.append(1)
        return mock

    resilient = Resilient(dial)
    assert (resilient.state, dials, resilient.inner) == ("disconnected", [], None)
    await resilient.send(*messages(1))
    await resilient.send(*messages(1))
    assert (resilient.state, dials, resilient.inner) == ("connected", [1], mock)
    assert len(mock.sent) == 2
    await resilient.close()
    assert mock.closed


@pytest.mark.parametrize("loss", LOSSES, ids=str)
async def test_a_send_survives_the_loss_of_its_connection(messages, loss):
    """It drops the connection, makes another, and delivers."""
    virtual, states = _Virtual(), []
    first, second = MockTransport(sends=[None, loss]), MockTransport()
    resilient = Resilient(dialling(first, second), on_state_change=states.append, **virtual.options)
    sent = messages(2)
    for message in sent:
        await resilient.send(message)
    assert first.sent + second.sent == sent
    assert first.closed
    await resilient.close()
    assert states == [
        "connecting",
        "connected",
        "disconnected",
        "connecting",
        "connected",
        "closed",
    ]
    assert virtual.slept == [0.1]


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
async def test_an_answer_is_raised_and_the_connection_kept(messages, answer):
    """A living peer, a bad message, a wrong configuration: another connection would not help."""
    (message,) = messages(1)
    mock = MockTransport([answer, message], sends=[answer])
    resilient = Resilient(dialling(mock))
    with pytest.raises(type(answer)) as sending:
        await resilient.send(message)
    with pytest.raises(type(answer)) as receiving:
        await resilient.receive()
    assert sending.value is receiving.value is answer
    await resilient.send(message)
    assert await resilient.receive() == message
    assert resilient.state == "connected"


async def test_the_end_of_a_stream_is_no_failure(messages):
    """A source that has ended is not read again from its start."""
    resilient = Resilient(dialling(MockTransport(sent := messages(2))))
    assert [message async for message in resilient] == sent
    with pytest.raises(EndOfStream):
        await resilient.receive()


@pytest.mark.parametrize("loss", LOSSES, ids=str)
async def test_a_receive_survives_the_loss_of_its_connection(messages, loss):
    """What the first connection gave and what the second gives make one stream."""
    virtual = _Virtual()
    sent = messages(3)
    first, second = MockTransport([sent[0], loss]), MockTransport(sent[1:])
    resilient = Resilient(dialling(first, second), **virtual.options)
    assert [message async for message in resilient] == sent


async def test_waits_grow_to_the_longest_and_start_over_after_a_success(messages):
    """Exponential, capped, and reset by proof only: a connection just made proves nothing."""
    virtual = _Virtual()
    down = TransportError("refused")
    dead = MockTransport(sends=[down])
    second = MockTransport(sends=[None, down])
    resilient = Resilient(
        dialling(down, down, dead, down, second, MockTransport()),
        reconnect_wait=1.0,
        max_reconnect_wait=5.0,
        **virtual.options,
    )
    await resilient.send(*messages(1))
    assert virtual.slept == [1, 2, 4, 5]
    assert resilient.last_error is None
    await resilient.send(*messages(1))
    assert virtual.slept == [1, 2, 4, 5, 1]


@pytest.mark.parametrize(("luck", "wait"), [(0.0, 0.75), (1.0, 1.25)])
async def test_waits_vary_by_a_quarter(messages, luck, wait):
    """So that many who lost the same peer do not come back at once."""
    virtual = _Virtual()
    resilient = Resilient(
        dialling(TransportError("refused"), MockTransport()),
        reconnect_wait=1.0,
        sleep=virtual,
        jitter=lambda: luck,
    )
    await resilient.send(*messages(1))
    assert virtual.slept == [wait]


async def test_a_wish_of_the_peer_lengthens_the_wait(messages):
    """`retry_after` counts, up to the longest wait."""
    virtual = _Virtual()
    resilient = Resilient(
        dialling(
            TransportError("starting", code="unavailable", retry_after=7.0),
            TransportError("starting", code="unavailable", retry_after=700.0),
            TransportError("starting", code="unavailable", retry_after="7"),
            MockTransport(),
        ),
        **virtual.options,
    )
    await resilient.send(*messages(1))
    assert virtual.slept == [7, 30, pytest.approx(0.4)]


@pytest.mark.parametrize("code", ["validation", "auth", "not_found", "conflict"])
async def test_a_configuration_that_cannot_work_is_raised_to_all_who_wait(messages, code):
    """Trying again for ever would hide the mistake; correcting it, the next call connects."""
    mock = MockTransport()
    resilient = Resilient(dialling(TransportError("wrong", code=code), mock))
    results = await asyncio.gather(
        *(resilient.send(message) for message in messages(3)), return_exceptions=True
    )
    assert [result.code for result in results] == [code] * 3
    assert resilient.state == "disconnected"
    await resilient.send(*messages(1))
    assert len(mock.sent) == 1


async def test_many_who_wait_share_one_reconnection(messages):
    """Fifty sends fail together, and one connection is made for all of them."""
    virtual = _Virtual()
    first, second = MockTransport(sends=[TransportError("lost")] * 50), MockTransport()
    resilient = Resilient(dialling(first, second), **virtual.options)
    sent = messages(50)
    await asyncio.gather(*(resilient.send(message) for message in sent))
    assert {message.id for message in second.sent} == {message.id for message in sent}
    assert len(second.sent) == 50


@pytest.mark.parametrize("during", ["backoff", "dial"])
async def test_a_cancelled_caller_leaves_the_others_undisturbed(messages, during):
    """The attempt under way goes on for those who still wait."""
    gate, mock = asyncio.Event(), MockTransport()
    dials = []

    async def pause(_seconds):
        if during == "backoff":
            await gate.wait()

    async def dial():
        dials.append(1)
        if len(dials) == 1:
            raise TransportError("refused")
        if during == "dial":
            await gate.wait()
        return mock

    resilient = Resilient(dial, sleep=pause)
    one, other = (asyncio.create_task(resilient.send(message)) for message in messages(2))
    for _ in range(20):
        await asyncio.sleep(0)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    gate.set()
    await other
    assert (len(dials), len(mock.sent)) == (2, 1)


@pytest.mark.parametrize("during", ["backoff", "dial", "receive"])
async def test_closing_ends_all_calls_that_wait(messages, during):
    """Promptly, with `TransportClosed`, whatever they wait for."""

    async def for_ever(*_):
        await asyncio.get_running_loop().create_future()

    def dial():
        if during == "backoff":
            raise TransportError("refused")
        return for_ever() if during == "dial" else MockTransport(quiet=True)

    resilient = Resilient(dial, sleep=for_ever)
    calls = [resilient.receive() for _ in range(3)]
    if during != "receive":
        calls += [resilient.send(message) for message in messages(3)]
    tasks = [asyncio.create_task(call) for call in calls]
    for _ in range(20):
        await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await resilient.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(type(result) is TransportClosed for result in results)
    await resilient.close()
    with pytest.raises(TransportClosed):
        await resilient.send(*messages(1))


async def test_what_a_connection_held_is_received_after_closing(messages):
    """As with every transport: closing loses nothing that had arrived."""
    channel = Channel()
    resilient = Resilient(lambda: channel)
    sent = messages(3)
    for message in sent:
        await resilient.send(message)
    await resilient.close()
    assert [message async for message in resilient] == sent


async def test_what_a_lost_connection_had_received_is_received_first(messages):
    """A send that fails takes the connection down, and nothing that had come through it."""
    virtual = _Virtual()
    sent = messages(4)
    bad = ProtocolError("line 3 is no message")
    first = MockTransport([*sent[:2], bad], sends=[TransportError("lost")], quiet=True)
    second = MockTransport(sent[2:])
    resilient = Resilient(dialling(first, second), **virtual.options)
    await resilient.send(*messages(1))
    assert [await resilient.receive(), await resilient.receive()] == sent[:2]
    with pytest.raises(ProtocolError):
        await resilient.receive()
    assert [message async for message in resilient] == sent[2:]


def test_a_connection_that_hangs_in_closing_is_left_behind(virtually, messages):
    """It is given five seconds, and its failure to close is not the caller's."""

    class Hanging(MockTransport):
        async def close(self):
            await asyncio.sleep(3600)

    class Failing(MockTransport):
        async def close(self):
            raise RuntimeError("cannot close")

    last = MockTransport()
    lost = TransportError("lost")
    dial = dialling(Hanging(sends=[lost]), Failing(sends=[lost]), last)

    async def scenario():
        await Resilient(dial, jitter=lambda: 0.5).send(*messages(1))
        return asyncio.get_running_loop().time()

    assert virtually(scenario()) == pytest.approx(5.3)
    assert len(last.sent) == 1


async def test_a_listener_of_states_that_fails_is_logged_once(messages, caplog):
    """It harms no message."""

    def fail(state):
        raise RuntimeError(f"cannot bear {state}")

    mock = MockTransport()
    resilient = Resilient(lambda: mock, on_state_change=fail)
    await resilient.send(*messages(1))
    await resilient.close()
    assert len(mock.sent) == 1
    assert len(caplog.records) == 1
    assert "cannot bear connecting" in caplog.text


def test_a_send_is_bounded_by_its_callers_timeout(virtually, messages):
    """A peer that never comes back ends in the caller's own `TimeoutError`."""
    down = TransportError("refused")

    def dial():
        raise down

    async def scenario():
        async with Resilient(dial) as resilient:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(600):
                    await resilient.send(*messages(1))
            assert resilient.last_error is down

    virtually(scenario())


async def test_blocking_send_waits_for_room_through_it(messages):
    """`BufferFull` is the answer of a living peer, and comes through with its room."""
    channel, sent = Channel(size=1), messages(20)
    resilient = Resilient(lambda: channel)

    async def send():
        for message in sent:
            await blocking_send(resilient, message)
        await resilient.close()

    sending = asyncio.create_task(send())
    assert [message async for message in channel] == sent
    await sending


@pytest.mark.parametrize("dial", ["http://host", Channel(), None])
def test_what_makes_no_transport_is_refused(dial):
    """A URL or a transport in the place of a function is told how to be one."""
    with pytest.raises(WrongTransportError, match="a function that makes a transport, got"):
        Resilient(dial)


async def test_dialing_that_is_cancelled_from_within_is_an_error(messages):
    """It is tried again by the next call, not at once and for ever."""
    dialed = []

    async def dial():
        dialed.append(1)
        if len(dialed) == 3:
            return Channel()
        await asyncio.sleep(0.001)
        raise asyncio.CancelledError

    (message,) = messages(1)
    async with asyncio.timeout(5), Resilient(dial) as resilient:
        for attempt in (1, 2):
            with pytest.raises(TransportError, match="cancelled from within") as caught:
                await resilient.send(message)
            assert (caught.value.code, resilient.state) == ("cancelled", "disconnected")
            assert len(dialed) == attempt
        await resilient.send(message)


def test_a_hook_that_nobody_could_await_is_refused():
    """A coroutine function would never run."""
    with pytest.raises(InvalidSettingError, match="on_state_change must be a plain function"):
        Resilient(MockTransport, on_state_change=asyncio.sleep)


@pytest.mark.parametrize("waits", [(-1.0, 30.0), (5.0, 1.0)])
def test_waits_that_make_no_sense_are_refused(waits):
    """The error names what was expected and what came."""
    with pytest.raises(
        InvalidSettingError, match=r"expected 0 <= reconnect_wait <= max_reconnect_wait"
    ):
        Resilient(MockTransport, reconnect_wait=waits[0], max_reconnect_wait=waits[1])
