"""mist.retry together with packages that it does not know, and that do not know it."""

import time

import pytest

from mist.circuitbreaker import Breaker, CircuitOpenError
from mist.protocol import Message
from mist.retry import Policy, do_auto
from mist.transport import BufferFull, Rejected, TransportError, with_retry, wrap
from mist.transport.testing import MockTransport

MESSAGE = Message.new("test", "test.number", 1)


async def test_a_policy_fits_the_transports_middleware():
    """`with_retry` knows a policy by its shape: its waits, and its cap on what a peer asks for."""
    errors = [TransportError("lost", retry_after=60), BufferFull("busy")]
    mock = MockTransport(sends=errors)
    started = time.monotonic()
    await wrap(mock, with_retry(Policy(3, 0.001, max_wait=0.01))).send(MESSAGE)
    assert mock.sent == [MESSAGE]
    assert time.monotonic() - started < 30

    mock = MockTransport(sends=[TransportError(f"lost {n}") for n in range(3)])
    with pytest.raises(TransportError, match="lost 2"):
        await wrap(mock, with_retry(Policy(3, 0.001))).send(MESSAGE)


async def test_transport_errors_say_whether_to_retry():
    """`do_auto` reads the code that a transport's error carries, by mist.errors."""
    mock = MockTransport(sends=[TransportError("lost")])
    await do_auto(Policy(2, 0.001), lambda: mock.send(MESSAGE))
    assert mock.sent == [MESSAGE]

    refusal = Rejected("no", status=403)
    mock = MockTransport(sends=[refusal])
    with pytest.raises(Rejected):
        await do_auto(Policy(2, 0.001), lambda: mock.send(MESSAGE))
    assert mock.sent == []


async def test_a_retry_around_a_breaker_waits_until_the_circuit_lets_a_probe_through():
    """The refusal is retryable, and tells how long to wait, which takes real time here."""
    breaker = Breaker(threshold=1, timeout=0.05)
    calls = 0

    async def call() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError
        return "done"

    started = time.monotonic()
    assert await do_auto(Policy(3, 0.001), lambda: breaker.do(call)) == "done"
    assert time.monotonic() - started >= 0.05
    assert calls == 2


async def test_a_circuit_that_stays_open_longer_than_max_wait_is_given_up():
    """Refusals use up the attempts, and the last one comes out with the note."""
    breaker = Breaker(threshold=1, timeout=3600)

    async def call() -> None:
        raise ConnectionError("down")

    with pytest.raises(CircuitOpenError) as caught:
        await do_auto(Policy(3, 0.001, max_wait=0.002), lambda: breaker.do(call))
    (note,) = caught.value.__notes__
    assert "attempt 1: ConnectionError: down" in note
    assert "attempt 2: CircuitOpenError" in note
