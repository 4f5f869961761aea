"""Tests that send signals work however the tests were started."""

import os
import signal
import subprocess
import sys

import pytest

from tools.workspace import ROOT

_CHILD = """
import signal
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
print(signal.getsignal(signal.SIGHUP) is signal.SIG_DFL)
"""


def _ignore() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize(
    ("called", "felt"), [("pass", "False\n"), ("heed_ignored_signals()", "True\n")]
)
def test_signals_that_were_ignored_are_felt_by_what_is_started(called, felt):
    """Started by `nohup`, or with `&` in a script, programs get signals back that were ignored."""
    program = (
        "import subprocess, sys; from tools.signals import heed_ignored_signals;"
        f"{called}; subprocess.run([sys.executable, '-c', {_CHILD!r}], check=True)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=ROOT,
        preexec_fn=_ignore,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert ended.stdout == felt * 2
