"""Where other breakers fail."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mist.circuitbreaker import Breaker, CircuitOpenError, State


def test_calls_run_side_by_side():
    """No lock is held during a call: five threads are inside theirs at the same time."""
    breaker = Breaker()
    all_inside = threading.Barrier(5, timeout=30)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: breaker.do_sync(all_inside.wait), range(5)))
    assert breaker.counts() == (5, 0)


async def test_a_decorated_coroutine_function_trips():
    """Its failures count when they happen, not when the coroutine is made."""
    breaker = Breaker(threshold=3)

    @breaker.protect
    async def ask():
        raise ConnectionError("gone")

    for _ in range(3):
        with pytest.raises(ConnectionError):
            await ask()
    with pytest.raises(CircuitOpenError):
        await ask()


@pytest.mark.parametrize("most", [1, 3])
async def test_of_fifty_probes_exactly_as_many_as_allowed_get_through(most, clock):
    """The others are refused at once, with nothing tried."""
    breaker = Breaker(threshold=1, timeout=30, half_open_max=most, clock=clock)
    with pytest.raises(ConnectionError):
        await breaker.do(_refuse)
    clock.pass_(30)
    inside = 0
    leave = asyncio.Event()

    async def probe():
        nonlocal inside
        inside += 1
        await leave.wait()

    tasks = [asyncio.create_task(breaker.do(probe)) for _ in range(50)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert inside == most
    assert breaker.state is State.HALF_OPEN
    leave.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(each, CircuitOpenError) for each in results) == 50 - most
    assert breaker.state is State.CLOSED


def test_of_fifty_threads_exactly_one_probes(clock):
    """The same holds for threads that come at the same moment."""
    breaker = Breaker(threshold=1, timeout=30, clock=clock)
    with pytest.raises(ConnectionError):
        breaker.do_sync(lambda: _raise(ConnectionError()))
    clock.pass_(30)
    start, leave = threading.Barrier(50, timeout=30), threading.Event()
    refused = threading.Semaphore(0)
    inside = []

    def come(_):
        start.wait()
        try:
            breaker.do_sync(lambda: (inside.append(1), leave.wait(30)))
        except CircuitOpenError:
            refused.release()

    with ThreadPoolExecutor(50) as pool:
        done = [pool.submit(come, n) for n in range(50)]
        for _ in range(49):
            assert refused.acquire(timeout=30)
        leave.set()
        for each in done:
            each.result()
    assert len(inside) == 1
    assert breaker.state is State.CLOSED


async def test_a_late_result_of_an_earlier_state_changes_nothing(clock):
    """A call begun before the circuit opened neither closes nor opens it when it ends."""
    for ending in (None, ConnectionError()):
        breaker = Breaker(threshold=1, timeout=30, clock=clock)
        late = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(breaker.do(lambda: late))  # noqa: B023  # awaited in this round
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await breaker.do(_refuse)
        clock.pass_(30)
        probe = asyncio.get_running_loop().create_future()
        probing = asyncio.create_task(breaker.do(lambda: probe))  # noqa: B023  # awaited in this round
        await asyncio.sleep(0)
        if ending is None:
            late.set_result("late")
        else:
            late.set_exception(ending)
        await asyncio.gather(running, return_exceptions=True)
        assert breaker.state is State.HALF_OPEN
        with pytest.raises(CircuitOpenError):
            await breaker.do(_refuse)
        probe.set_result("well")
        await probing
        assert breaker.state is State.CLOSED


async def test_a_half_open_permit_comes_back_from_a_cancelled_caller(clock):
    """The circuit does not stay shut for good."""
    breaker = Breaker(threshold=1, timeout=30, clock=clock)
    with pytest.raises(ConnectionError):
        await breaker.do(_refuse)
    clock.pass_(30)
    probing = asyncio.create_task(breaker.do(asyncio.Event().wait))
    await asyncio.sleep(0)
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    assert probing.cancelled()
    assert await breaker.do(_answer) == "well"
    assert breaker.state is State.CLOSED


def test_counts_are_exact_under_threads():
    """Eight threads that are switched as often as can be lose no call."""
    breaker = Breaker(threshold=10**9)
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work(_):
        for n in range(5000):
            if n % 3:
                breaker.do_sync(lambda: None)
            else:
                with pytest.raises(OSError, match="broken"):
                    breaker.do_sync(lambda: _raise(OSError("broken")))

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    finally:
        sys.setswitchinterval(switching)
    failed = 8 * len(range(0, 5000, 3))
    assert breaker.counts() == (8 * 5000 - failed, failed)


async def _refuse():
    raise ConnectionError("refused")


async def _answer():
    return "well"


def _raise(error):
    raise error
