"""A service says whether it wants traffic."""

import asyncio
import signal
import subprocess
import sys
import threading

import pytest

from mist.health import Handler


async def test_a_service_is_ready_until_it_says_otherwise():
    """And again when it says so."""
    handler = Handler("infermux", "1.0.0")
    assert (await handler.check()).ready
    handler.set_ready(False)
    assert (await handler.check()).status == "not_ready"
    handler.set_ready(True)
    assert (await handler.check()).status == "ok"


async def test_no_check_runs_while_a_service_is_not_ready():
    """The answer is there at once, whatever hangs."""
    ran = []
    handler = Handler("infermux", "1.0.0")
    handler.add_check("database", lambda: ran.append(1))
    handler.set_ready(False)
    report = await handler.check()
    assert (report.checks, report.ready, ran) == ({}, False, [])


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True)])
async def test_readiness_that_changes_during_a_probe_is_not_overlooked(first, then):
    """No probe says ready of a service that no longer is, nor of one whose checks did not run."""
    handler = Handler("infermux", "1.0.0")

    async def check():
        handler.set_ready(then)

    handler.add_check("turns", check)
    handler.set_ready(first)
    probe = asyncio.create_task(handler.check())
    await asyncio.sleep(0)
    handler.set_ready(then)
    assert not (await probe).ready
    assert (await handler.check()).ready is then


async def test_liveness_does_not_depend_on_readiness(ask):
    """A service that drains is alive."""
    handler = Handler("infermux", "1.0.0")
    handler.set_ready(False)
    assert (await ask(handler.liveness())).status == 200
    assert (await ask(handler.readiness())).status == 503


def test_another_thread_may_set_it():
    """A warm-up in a thread says when it is done."""
    handler = Handler("infermux", "1.0.0")
    thread = threading.Thread(target=handler.set_ready, args=(False,))
    thread.start()
    thread.join()
    assert not asyncio.run(handler.check()).ready


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_signal_handler_may_set_it():
    """Even one that interrupts the handler's own work: no lock is taken."""
    handler = Handler("infermux", "1.0.0")
    before = signal.signal(signal.SIGALRM, lambda *_: handler.set_ready(False))
    try:
        with handler._lock:
            signal.raise_signal(signal.SIGALRM)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not asyncio.run(handler.check()).ready


def test_a_handler_may_be_made_and_used_by_one_loop_after_another():
    """Nothing of it belongs to the loop, or the lack of one, that it was made in."""
    handler = Handler("infermux", "1.0.0")

    async def check():
        await asyncio.sleep(0)

    handler.add_check("database", check)
    handler.add_check("disk", lambda: None)
    for _ in range(3):
        assert asyncio.run(handler.check()).status == "ok"


def test_a_script_can_use_it_without_http():
    """The exit status of a command is one line away."""
    script = """
import asyncio, sys
from mist.health import Handler

def fails():
    raise OSError("gone")

handler = Handler("infermux", "1.0.0")
handler.add_check("disk", fails)
report = asyncio.run(handler.check())
print(report.to_dict()["checks"])
sys.exit(0 if report.ready else 1)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "{'disk': 'OSError: gone'}\n")
