"""Counting the instructions of a path with valgrind's callgrind.

A path is walked in a process of its own, once many times and once many times more often. The
difference of the two counts is that of the walks alone: start, imports and the first, slow walks
are in both. Hashes are seeded, the environment is empty but for what Python needs, and valgrind
lays out memory itself, so that two counts of the same code agree to a fraction of a percent.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.workspace import ROOT

_FEW = 2_000
_MANY = 6_000
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)$", re.MULTILINE)


class CountError(Exception):
    """A path could not be counted."""


def why_not() -> str:
    """Say why nothing can be counted here; "" where it can."""
    if shutil.which("valgrind") is None:
        return "valgrind is not installed here (on Debian: apt-get install valgrind)"
    return ""


def per_walk(path: str) -> float:
    """Return the instructions of one walk of a path.

    Raises:
        CountError: The path fails.
    """
    _run(_walking(path, 1))  # compiles what has changed, so that no counted process has to
    return (_total(path, _MANY) - _total(path, _FEW)) / (_MANY - _FEW)


def _total(path: str, times: int) -> int:
    """Count all instructions of a process that walks a path so many times."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "callgrind.out"
        watch = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        _run([*watch, *_walking(path, times)])
        return read_total(out.read_text())


def _walking(path: str, times: int) -> list[str]:
    return [sys.executable, "-m", "tools.instructions.paths", path, str(times)]


def _run(command: list[str]) -> None:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONHASHSEED": "0"}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise CountError(f"{' '.join(command[-2:])} fails:\n{ran.stderr}")


def read_total(text: str) -> int:
    """Read the number of instructions in what callgrind wrote.

    Raises:
        CountError: There is none.
    """
    found = _TOTAL.search(text)
    if found is None:
        raise CountError("callgrind wrote no total")
    return int(found[1])
