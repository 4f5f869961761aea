"""A forked child has a rate of its own, and waits for no thread of its parent."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading, warnings
from mist.parallel import RateLimiter

warnings.filterwarnings("ignore", message=".*multi-threaded.*")
limiter = RateLimiter(2, 0.2)
slow = RateLimiter(1, 600.0)
assert slow.try_take()
threading.Thread(target=slow.wait_sync, daemon=True).start()
while not slow.waiting:
    pass
inside = threading.Event()

def hold():
    with limiter._lock, slow._lock:
        inside.set()
        threading.Event().wait()

threading.Thread(target=hold, daemon=True).start()
assert inside.wait(30)
if not (child := os.fork()):
    signal.alarm(20)
    limiter.wait_sync()
    limiter.wait_sync()
    assert not limiter.try_take()
    limiter.wait_sync()
    assert slow.waiting == 0
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert slow.waiting == 1
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_waits_neither_for_a_lock_nor_behind_its_parents_threads():
    """A thread had the lock and another waited in the queue; neither is in the child."""
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
