"""The child that fuzzes one target with atheris: `python -m tools.fuzz.engine TARGET DIR END FLAGS...`.

An input that breaks the invariant is kept and told, and the search goes on: of all inputs that
fail at the same place, the shortest is kept.
"""

import hashlib
import importlib
import logging
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.fuzz.target import Target

FOUND = "finding: "
"""What starts a line on stderr that tells of a finding: its file, a tab, the exception."""

SLOW = 1.0
"""Processor time that no input of a few kilobytes may take, in seconds."""


class SlowInputError(Exception):
    """An input took too long."""


WATCHED = ("mist", "tools", "argparse", "tomllib")
"""Whose branches guide the search: ours, and the pure Python that ours stands on."""


def run_check(target: Target, data: bytes) -> None:
    """Hold one input against a target's invariant, and its time against the bound.

    Raises:
        SlowInputError: It took more than `SLOW` seconds of processor time.
    """
    began = time.process_time()
    target.check(data)
    took = time.process_time() - began
    if took > SLOW:
        raise SlowInputError(f"{len(data)} bytes took {took:.1f} s, more than {SLOW} s")


class Findings:
    """The inputs that broke the invariant, in files named for the place where they did.

    Args:
        directory: Where the files are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._shortest: dict[str, int] = {}

    def add(self, data: bytes, exc: BaseException) -> None:
        """Keep an input, if it is the first or the shortest that failed so."""
        name = f"finding-{_place(exc)}"
        known = self._shortest.get(name)
        if known is not None and known <= len(data):
            return
        self._shortest[name] = len(data)
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / name
        path.write_bytes(data)
        if known is None:
            text = " ".join(f"{type(exc).__name__}: {exc}".split())[:300]
            print(f"{FOUND}{path}\t{ascii(text)[1:-1]}", file=sys.stderr, flush=True)


def _place(exc: BaseException) -> str:
    """Name the kind of an exception and the line it came from, in a few characters."""
    frames = traceback.extract_tb(exc.__traceback__)
    last = frames[-1] if frames else None
    # Deep recursion ends anywhere.
    line = last.lineno if last and not isinstance(exc, RecursionError) else 0
    where = f"{type(exc).__name__}:{last.name if last and line else ''}:{line}"
    return hashlib.sha256(where.encode()).hexdigest()[:8]


def main(argv: Sequence[str]) -> None:
    """Fuzz until the end, in seconds since the epoch; does not return."""
    atheris: Any = importlib.import_module("atheris")
    logging.disable(logging.WARNING)  # what a run skips is not to be told a million times
    name, directory, end, *flags = argv
    with atheris.instrument_imports(include=[*WATCHED, name.partition(".")[0]]):
        target = Target.load(name)
    findings = Findings(Path(directory))

    def one_input(data: bytes) -> None:
        try:
            run_check(target, data)
        except Exception as exc:  # noqa: BLE001  # whatever it is, it is a finding
            findings.add(data, exc)

    # At least a second, which 0, without an end to libFuzzer, would not be.
    left = max(1, round(float(end) - time.time()))
    atheris.Setup([sys.argv[0], f"-max_total_time={left}", *flags], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
