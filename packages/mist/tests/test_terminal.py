"""The mist command at a real terminal."""

import os
import re
import subprocess
import sys
import time

import pytest

if os.name != "posix":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import fcntl
import pty
import select
import termios

_PATIENCE = 15


def _take_terminal():
    # Ctrl-C reaches those whose controlling terminal it is typed at.
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _at_terminal(words, cwd, typed=b""):
    """Run mist with all three streams on a terminal; return its status and the screen's text."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mist.command", *words],
        cwd=cwd,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509  # no thread runs here
    )
    os.close(secondary)
    screen = b""
    with process:
        while select.select([primary], [], [], _PATIENCE)[0]:
            try:
                chunk = os.read(primary, 65536)
            except OSError:  # Linux's way to say that nobody holds the other end
                break
            if not chunk:
                break
            screen += chunk
            if typed and b"reading standard input" in screen:
                os.write(primary, typed)
                typed = b""
        else:
            process.kill()
    os.close(primary)
    return process.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.decode())


def test_totals_are_a_table(tmp_path, stream):
    """At a terminal the totals are a table with a row for each file and their sum."""
    (tmp_path / "bad.jsonl").write_text("bad\n")
    status, screen = _at_terminal(["validate", stream.name, "bad.jsonl"], tmp_path)
    assert status == 1
    rows = [re.findall(r"[\w.]+", line) for line in screen.splitlines()]
    assert ["stream.jsonl", "2000", "0"] in rows
    assert ["bad.jsonl", "0", "1"] in rows
    assert ["total", "2000", "1"] in rows
    assert "bad.jsonl:1: not a message" in screen


def test_relay_shows_its_count(tmp_path, stream):
    """At a terminal a bar counts, and the sum stays."""
    status, screen = _at_terminal(["relay", stream.name, "out.jsonl"], tmp_path)
    assert status == 0
    assert "relay" in screen
    assert "relay: 2000 messages in " in screen
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()


def test_a_person_is_told_that_input_is_awaited(tmp_path, ping_line):
    """Standard input that is a terminal is announced, and ends with Ctrl-D."""
    typed = ping_line.encode() + b"\x04"
    status, screen = _at_terminal(["validate"], tmp_path, typed)
    assert status == 0
    assert "Ctrl-D" in screen
    assert re.search(r"-\s+\W*\s*1\s+\W*\s*0", screen)


def test_messages_can_be_typed(tmp_path, ping_line):
    """A terminal serves as a source."""
    typed = ping_line.encode() + b"\x04"
    status, _ = _at_terminal(["relay", "-", "out.jsonl"], tmp_path, typed)
    assert status == 0
    assert (tmp_path / "out.jsonl").read_text() == ping_line


def test_control_c_is_typed(tmp_path):
    """Ctrl-C from the keyboard ends the wait for input."""
    began = time.monotonic()
    status, screen = _at_terminal(["relay", "-", "out.jsonl"], tmp_path, b"\x03")
    assert (status, "interrupted" in screen) in {(130, True), (-2, False)}
    assert time.monotonic() - began < 10
