"""The mist command where standard streams are closed, as daemons and cron jobs may have them."""

import os
import subprocess
import sys

import pytest

if os.name != "posix":
    pytest.skip("needs a shell that closes descriptors", allow_module_level=True)

_PATIENCE = 60


@pytest.fixture
def closed(tmp_path):
    """Run mist with streams closed as a shell does it; returns status, stdout and stderr."""

    def run(redirections, *words):
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" -m mist.command "$@" {redirections}', sys.executable, *words],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_results_come_without_a_standard_error(closed, stream):
    """What is only said there is no reason to fail."""
    totals = '{"valid":2000,"invalid":0}\n'
    assert closed("2>&-", "validate", stream) == (0, totals, "")
    assert closed("2>&-", "relay", stream, "out.jsonl") == (0, "", "")
    assert closed("2>&-", "dedupe", "out.jsonl") == (0, stream.read_text(encoding="utf-8"), "")


def test_a_closed_standard_input_cannot_be_read(closed):
    """It is an error, and no wait for something else that has its number."""
    status, _, err = closed("<&-", "relay", "-", "out.jsonl")
    assert status == 7
    assert "mist: transport: cannot read stdin: Bad file descriptor" in err


def test_messages_to_a_closed_standard_output_are_an_error(closed, stream):
    """They reach nobody, which is no success."""
    status, _, err = closed(">&-", "relay", stream, "-")
    assert status == 7
    assert "mist: transport: cannot write to stdout: Bad file descriptor" in err
