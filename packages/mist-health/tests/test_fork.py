"""A forked child runs its checks itself."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, signal, threading, warnings
from mist.health import Handler

warnings.filterwarnings("ignore", message=".*multi-threaded.*")
handler = Handler("tool", "1")
parent = os.getpid()
begun = threading.Event()

def check():
    begun.set()
    while os.getpid() == parent:
        threading.Event().wait(60)

handler.add_check("disk", check, timeout=30.0)
inner = handler._checks["disk"]

def hold():
    asyncio.run(inner.result())

threading.Thread(target=hold, daemon=True).start()
assert begun.wait(30)
held = threading.Event()
threading.Thread(target=lambda: (inner._lock.acquire(), held.set()), daemon=True).start()
assert held.wait(30)
if not (child := os.fork()):
    signal.alarm(20)
    result = asyncio.run(inner.result())
    assert result.problem is None, result
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_waits_neither_for_a_lock_nor_for_a_run_of_its_parent():
    """The check that hangs in a thread of the parent is run anew by the child, and is well."""
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
