"""What hostile tests share: an interpreter that switches threads as often as it can."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

THREADS, LOOPS = 8, 8
_LONGEST = 60.0  # seconds, before a stress counts as stuck


@pytest.fixture
def restless():
    """Let threads take turns after every microsecond."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def stress(restless):  # noqa: ARG001  # while it holds
    """Run work in eight threads, and in eight more with an event loop each, all begun together.

    Each call gets its number, so that no two of them are the same; what it raises is raised.
    """

    def run(in_thread=None, in_loop=None):
        barrier = threading.Barrier(THREADS * bool(in_thread) + LOOPS * bool(in_loop))

        def begin(work, number):
            barrier.wait(_LONGEST)
            return asyncio.run(work(number)) if work is in_loop else work(number)

        with ThreadPoolExecutor(barrier.parties) as pool:
            jobs = [pool.submit(begin, in_thread, n) for n in range(THREADS) if in_thread]
            jobs += [pool.submit(begin, in_loop, THREADS + n) for n in range(LOOPS) if in_loop]
            return [job.result(timeout=_LONGEST) for job in jobs]

    return run
