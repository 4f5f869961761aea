"""What the repository shows to a newcomer runs as it is shown."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest


def test_the_tour_ends_well_and_leaves_nothing_behind(root, tmp_path):
    """The tour shows each command and ends with one clear sentence."""
    ended = subprocess.run(
        [sys.executable, root / "examples" / "first_messages.py"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)},
    )
    assert ended.returncode == 0, ended.stderr
    for command in ("validate", "listen", "relay", "ping"):
        assert f"\n$ mist {command} " in ended.stdout
    assert ended.stdout.endswith("in order, byte for byte, every checksum intact.\n")
    assert not list(tmp_path.iterdir())


def test_the_tour_keeps_what_it_is_told_to(root, tmp_path):
    """With --keep the received file stays, and its place is told."""
    ended = subprocess.run(
        [sys.executable, root / "examples" / "first_messages.py", "--keep"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)},
    )
    kept = Path(ended.stdout.splitlines()[-1].partition(" is in ")[2])
    assert kept.read_bytes().count(b"\n") == 5000


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_ends_the_tour(root, tmp_path):
    """Ctrl-C ends the tour with 130, whatever it is at, and it cleans up."""
    tour = subprocess.Popen(
        [sys.executable, root / "examples" / "first_messages.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    with tour:
        for line in tour.stdout:
            if line.startswith("listening at"):
                break
        time.sleep(0.1)  # real time: the relay has begun
        os.killpg(tour.pid, signal.SIGINT)
        told = tour.stdout.read()
        assert tour.wait(10) == 130
    assert "first_messages.py" not in told, "its own traceback"
    assert not list(tmp_path.iterdir())


def test_the_console_examples_of_the_readme_run(root, tmp_path):
    """Each command of the README's console blocks succeeds and prints what is shown.

    Of what a line prints, words of digits may differ: ids, times, counts of seconds.
    """
    text = (root / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 1
    (tmp_path / "examples").symlink_to(root / "examples")
    port = "127.0.0.1:8080"
    for block in blocks:
        script, shown = _script(block)
        free = _free_port()
        with tempfile.TemporaryFile("w+") as out:
            shell = subprocess.Popen(
                ["bash", "-c", script.replace(port, f"127.0.0.1:{free}")],
                cwd=tmp_path,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TERM": "dumb"},
                start_new_session=True,
            )
            try:
                shell.wait(timeout=60)
            finally:
                _end_group(shell.pid)
            out.seek(0)
            told = out.read().replace(f"127.0.0.1:{free}", port)
        assert shell.returncode == 0, told
        for line in shown:
            assert _shape(line) in map(_shape, told.splitlines()), told


def _end_group(leader):
    """End what a failed command has left in the background."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)


def _free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _script(block):
    """Return a console block as a script that stops at the first failure, and what it shows."""
    mist = shlex.join([sys.executable, "-m", "mist.command"])
    service = shlex.join([sys.executable, "examples/service.py", "serve"])
    connect = 'import socket, sys; socket.create_connection(sys.argv[1].split(":")).close()'
    connected = shlex.join([sys.executable, "-c", connect])
    lines = [
        f'set -e; mist() {{ {mist} "$@"; }}',
        f'hatch() {{ test "$1 $2" = "run service"; shift 2; {service} "$@"; }}',
        "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT",
    ]
    shown = []
    for line in block.splitlines():
        if line.startswith("$ "):
            lines.append(line[2:])
            if line.endswith("&"):
                # A person types the next command when this one listens.
                lines.append(f"until {connected} 127.0.0.1:8080 2>/dev/null; do sleep 0.1; done")
        else:
            shown.append(line)
    return "\n".join(lines), shown


def _shape(line):
    return re.sub(r"\b[0-9a-f]{32}\b|\d+(\.\d+)?", "#", line)
