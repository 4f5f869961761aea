"""Cancellation leaves no lock behind, and is never swallowed."""

import asyncio
import os
import random
import signal
import subprocess
import sys

import pytest

from mist.platform import lock, lock_holder, try_lock


async def _locked(path):
    """Wait for a lock in a coroutine, as the README shows it."""
    while (held := try_lock(path)) is None:
        await asyncio.sleep(0)
    return held


async def test_cancelling_at_any_moment_leaves_the_lock_free(tmp_path):
    """Whoever of ten tasks is cancelled, the others get it one by one, and at the end nobody has."""
    path = tmp_path / "tool.lock"
    for seed in range(30):
        chance = random.Random(seed)
        others = asyncio.all_tasks()
        inside = 0

        async def work():
            nonlocal inside
            with await _locked(path):
                inside += 1
                assert inside == 1
                try:
                    await asyncio.sleep(0)
                finally:
                    inside -= 1

        tasks = [asyncio.create_task(work()) for _ in range(10)]
        for _ in range(8):
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            victim = chance.choice(tasks)
            if victim.cancel():
                await asyncio.gather(victim, return_exceptions=True)
                assert victim.cancelled()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert asyncio.all_tasks() == others
        with try_lock(path):
            pass


async def test_an_enclosing_timeout_fires(tmp_path):
    """A deadline around the wait is kept to, and the holder keeps the lock."""
    path = tmp_path / "tool.lock"
    with lock(path):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await _locked(path)
        assert lock_holder(path) == os.getpid()
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_ends_a_wait_and_leaves_the_lock_to_its_holder(tmp_path):
    """A process that waits in `lock` ends at once, and whoever comes next gets it."""
    path = tmp_path / "tool.lock"
    script = (
        "import sys; from mist.platform import lock\n"
        "try: print('waits', flush=True); lock(sys.argv[1])\n"
        "except KeyboardInterrupt: sys.exit(7)\n"
    )
    with lock(path):
        waiting = subprocess.Popen(
            [sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True
        )
        with waiting:
            assert waiting.stdout.readline() == "waits\n"
            waiting.send_signal(signal.SIGINT)
            assert waiting.wait(30) == 7
        assert try_lock(path) is None
    with try_lock(path):
        pass


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_an_exception_out_of_a_signal_handler_gives_the_lock_back(tmp_path):
    """Wherever in the block it strikes."""
    path = tmp_path / "tool.lock"

    class Interrupted(Exception):
        pass

    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for n in range(1, 30):
            with pytest.raises(Interrupted), lock(path):
                _spin(until_signalled_in=n * 1e-4)
            with try_lock(path):
                pass
    finally:
        signal.signal(signal.SIGALRM, before)


def _spin(*, until_signalled_in):
    signal.setitimer(signal.ITIMER_REAL, until_signalled_in)
    while True:
        pass
