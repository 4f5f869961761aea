"""The README's example does what the README shows."""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest


def _readme():
    """The README of the checkout, or the copy in the installed package where there is none."""
    path = Path(__file__).parents[1] / "README.md"
    return (
        path.read_text(encoding="utf-8") if path.is_file() else metadata("mist").json["description"]
    )


def _shape(line):
    return re.sub(r"\b[0-9a-f]{32}\b|\d+(\.\d+)?", "#", line)


@pytest.mark.skipif(os.name != "posix", reason="the example is for a POSIX shell")
def test_the_example_prints_what_is_shown(tmp_path):
    """Typed into a shell, the commands print what stands beneath them, but for ids and times."""
    (block,) = re.findall(r"^```console\n(.*?)^```", _readme(), re.DOTALL | re.MULTILINE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    mist = shlex.join([sys.executable, "-m", "mist.command"])
    typed = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    # The next command is typed when the listener listens.
    connect = "import socket; socket.create_connection(('127.0.0.1', 8080)).close()"
    asked = f'{shlex.quote(sys.executable)} -c "{connect}" 2>/dev/null'
    until = f"until {asked}; do sleep 0.1; done"
    typed = [f"{line}\n{until}" if line.endswith("&") else line for line in typed]
    script = "\n".join([f'mist() {{ {mist} "$@"; }}', *typed]).replace("8080", port)
    shell = subprocess.Popen(
        ["sh", "-ec", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        out, _ = shell.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)  # what a failed command has left in the background
    told = [_shape(line) for line in out.splitlines()]
    # On a machine that is slow today there is progress to tell of.
    told = [line for line in told if line != "listen: #, #/s"]
    shown = [_shape(line) for line in block.splitlines() if not line.startswith("$ ")]
    assert shell.returncode == 0, out
    assert sorted(told) == sorted(shown)
