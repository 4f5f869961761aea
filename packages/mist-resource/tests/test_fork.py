"""A forked child has slots and bytes of its own."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading, warnings
from mist.resource import Limiter, MemoryBudget, ResourceError

warnings.filterwarnings("ignore", message=".*multi-threaded.*")
limiter, budget = Limiter("slots", 2), MemoryBudget("bytes", 100)
limiter.acquire_sync()
inside = threading.Event()

def hold():
    with limiter, budget.reserving(60), limiter._queue._lock, budget._queue._lock:
        inside.set()
        threading.Event().wait()

threading.Thread(target=hold, daemon=True).start()
assert inside.wait(30)
threading.Thread(target=limiter.acquire_sync, daemon=True).start()
if not (child := os.fork()):
    signal.alarm(20)
    assert (limiter.active, limiter.waiting, budget.reserved) == (0, 0, 0)
    with limiter, limiter:
        assert not limiter.try_acquire()
    limiter.release()  # the one that this thread had before the fork
    with budget.reserving(100):
        assert not budget.reserve(1)
    limiter.release()
    try:
        limiter.release()
    except ResourceError:
        os._exit(0)
    os._exit(1)
assert os.waitpid(child, 0)[1] == 0
assert limiter.active == 2
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_begins_with_all_units_and_may_end_what_its_parent_began():
    """Whatever threads of the parent had the lock, a slot or bytes, the child is not stuck."""
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
