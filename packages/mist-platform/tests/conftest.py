"""What the tests of this package share: real processes that lock, a user without privileges."""

import contextlib
import os
import subprocess
import sys

import pytest


@pytest.fixture
def spawn():
    """Start scripts in processes of their own, which are killed when the test ends."""
    with contextlib.ExitStack() as stack:

        def start(script, *arguments):
            process = subprocess.Popen(
                [sys.executable, "-c", script, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def holder(spawn):
    """Start a process that holds the lock when this returns, until it is told or killed."""

    def start(path):
        process = spawn(
            "import sys; from mist.platform import lock\n"
            "with lock(sys.argv[1]): print('held', flush=True); sys.stdin.readline()",
            path,
        )
        assert process.stdout.readline() == "held\n"
        return process

    return start


@pytest.fixture
def unprivileged():
    """Be nobody, where the tests are run by root, to whom permissions mean nothing."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)
