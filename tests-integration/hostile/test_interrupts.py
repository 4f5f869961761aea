"""Ctrl-C at moments that nobody chose."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_ROUNDS = int(os.environ.get("MIST_INTERRUPTS", "40"))
_PATIENCE = 30.0  # seconds


def _until_it_handles_signals(pid):
    """Wait until the process has a handler of SIGTERM, which is when its command begins."""
    status = Path(f"/proc/{pid}/status")
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        (caught,) = re.findall(r"^SigCgt:\s*(\w+)", status.read_text(), re.MULTILINE)
        if int(caught, 16) >> signal.SIGTERM - 1 & 1:
            return
    pytest.fail("the command has not begun")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_command_starts_always_ends_it(number):
    """At any moment from its imports to its wait for input: one line, 128 and the signal."""
    chance = random.Random(7)
    word = "interrupted" if number == signal.SIGINT else "terminated"
    for _ in range(_ROUNDS):
        with subprocess.Popen(
            [sys.executable, "-m", "mist.command", "validate"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                _until_it_handles_signals(process.pid)
                time.sleep(chance.uniform(0, 0.06))
                process.send_signal(number)
                assert process.wait(_PATIENCE) == 128 + number
            finally:
                process.kill()
            assert process.stderr.read() == f"mist: cancelled: {word}\n"
