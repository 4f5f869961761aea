"""A forked child has the threads of its parent no more, and goes on without them."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

CHILD = """
import os, signal, threading, warnings
from mist.circuitbreaker import Breaker, BreakerPool, State

warnings.filterwarnings("ignore", message=".*multi-threaded.*")
now = [0.0]

def open_one(**settings):
    breaker = Breaker(threshold=1, timeout=1.0, clock=lambda: now[0], **settings)
    try:
        breaker.do_sync(lambda: 1 / 0)
    except ZeroDivisionError:
        pass
    return breaker

def elsewhere(work):
    inside = threading.Event()
    def run():
        work(lambda: (inside.set(), threading.Event().wait()))
    threading.Thread(target=run, daemon=True).start()
    assert inside.wait(30)

def in_child(check):
    if not (child := os.fork()):
        signal.alarm(20)
        check()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def run(program):
    """Run a program, as a fork in a process with threads is none of the tests'."""
    subprocess.run([sys.executable, "-c", CHILD + program], check=True, timeout=60)


def test_a_child_is_not_stuck_with_a_lock_of_its_parents_threads():
    """Breaker, pool and hook work in the child, though a thread had their locks at the fork."""
    run("""
told = []
breaker = open_one(on_state_change=lambda old, new: told.append(new))
pool = BreakerPool()
pool.get("a")

def hold(wait):
    with breaker._lock, pool._lock, breaker._hook._delivering:
        wait()

elsewhere(hold)

def check():
    told.clear()
    breaker.reset()
    assert breaker.do_sync(lambda: 1) == 1
    assert told == [State.CLOSED]
    assert pool.do_sync("a", lambda: 2) == 2
    assert pool.do_sync("b", lambda: 3) == 3

in_child(check)
""")


def test_a_probe_of_another_thread_does_not_keep_a_childs_circuit_half_open():
    """The thread that has the only permit is not in the child, and would never give it back."""
    run("""
breaker = open_one()
now[0] = 2.0
elsewhere(breaker.do_sync)

def check():
    assert breaker.state is State.HALF_OPEN
    assert breaker.do_sync(lambda: 1) == 1
    assert breaker.state is State.CLOSED

in_child(check)
assert breaker.state is State.HALF_OPEN
""")
