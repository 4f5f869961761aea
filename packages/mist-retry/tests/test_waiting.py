"""The switch that removes waiting."""

import asyncio
import threading
import time

import pytest

from mist.retry import Policy, do, do_sync, without_waiting

HOURS = Policy(3, 3600, 7200, jitter=0)


async def test_nothing_waits_in_the_block_and_the_waits_are_told(flaky):
    """Both forms go on at once, as often as ever, and the block has the waits left out."""
    with without_waiting() as waits:
        started = time.monotonic()
        assert do_sync(HOURS, flaky(OSError(), OSError())) == "done"
        assert await do(HOURS, flaky(OSError(), OSError()).awaited) == "done"
        with pytest.raises(ConnectionError):
            do_sync(HOURS, flaky(*(ConnectionError() for _ in range(3))))
    assert time.monotonic() - started < 60
    assert waits == [3600, 7200] * 3


async def test_others_have_their_turn_all_the_same():
    """The async form without waiting still lets other tasks run between attempts."""
    turns = []

    async def attempt():
        turns.append("attempt")
        raise ConnectionError

    with without_waiting():
        asyncio.get_running_loop().call_soon(turns.append, "other")
        with pytest.raises(ConnectionError):
            await do(HOURS, attempt)
    assert turns == ["attempt", "other", "attempt", "attempt"]


def test_it_ends_with_its_block(virtually, flaky):
    """After the block, and after one that ended in an error, there is waiting again."""

    async def main():
        with pytest.raises(ZeroDivisionError), without_waiting():
            _ = 1 / 0
        await do(Policy(jitter=0), flaky(OSError()).awaited)
        return asyncio.get_running_loop().time()

    assert virtually(main()) == pytest.approx(0.1)


def test_blocks_nest_and_each_has_its_own_list(flaky):
    """The outer block goes on when an inner one ends, whatever their order."""
    outer, inner = without_waiting(), without_waiting()
    outer_waits = outer.__enter__()
    inner_waits = inner.__enter__()
    do_sync(HOURS, flaky(OSError()))
    outer.__exit__(None, None, None)
    do_sync(HOURS, flaky(OSError(), OSError()))
    inner.__exit__(None, None, None)
    assert outer_waits == [3600]
    assert inner_waits == [3600, 3600, 7200]


def test_it_holds_in_other_threads(flaky):
    """Code under test may retry in threads of its own."""
    with without_waiting() as waits:
        threads = [
            threading.Thread(target=do_sync, args=(HOURS, flaky(OSError()))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
    assert waits == [3600] * 8
