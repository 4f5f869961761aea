"""A log, whatever is in it, opens: what counts is what a line-by-line json.loads says counts.

Bad lines are skipped and reported by number; a record that is appended lands on a line of its
own, and opening the run again finds the same and that record too.
"""

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from mist.checkpoint import CheckpointError, Tracker, read_records
from mist.checkpoint import open as open_run
from tools.fuzz import seeds as public
from tools.fuzz.json_reference import NotJsonError, as_object, loads

TOKENS = ("step", "status", "result", "running", "completed", "failed", "skipped", "pending")

_STATUSES = ("pending", "running", "completed", "failed", "skipped")
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # where fsync is free
_ADDED = "added by the check"
_SUPERSEDED = b'{"step":"padding","status":"running"}\n' * 120
"""Enough for a log to be rewritten when it is opened."""


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    _opens(data)
    _opens(_SUPERSEDED + data)


def _opens(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(directory) / "run.jsonl"
        path.write_bytes(data)
        for record in read_records(path):
            assert isinstance(record.step, str)
        with contextlib.closing(open_run(directory, "run")) as run:
            completed, bad = run.completed_steps(), [problem.line for problem in run.problems]
            expected = _by_reference(data)
            assert expected is None or (completed, bad) == expected
            results = {name: _result(run, name) for name in completed if name != _ADDED}
            run.step_sync(_ADDED, lambda: 1)
        with contextlib.closing(open_run(directory, "run")) as run:
            again = {name: _result(run, name) for name in run.completed_steps()}
            assert again.pop(_ADDED, None)
            assert again == results


def seeds() -> Iterator[bytes]:
    """Give a log of mist-go, whole and torn, and JSON that is no record."""
    log = public.golden_bytes("checkpoint/complete-run.jsonl")
    yield log
    yield log[:-1]
    yield log[:-20]
    yield log.replace(b"\n", b"\r\n")
    yield b'{"step":"a","status":"completed","result":1}\nnot\n{"step":"a","status":"running"}\n'
    for document in public.json_documents():
        yield b'{"step":"a","status":"completed","result":' + document + b"}\n"


def _result(run: Tracker, name: str) -> str:
    try:
        return repr(run.result(name))
    except CheckpointError as exc:
        return str(exc)


def _by_reference(data: bytes) -> tuple[list[str], list[int]] | None:
    """Return the completed steps in their order, and the numbers of the first hundred bad lines.

    None where some line's text may be taken or refused: it is no Unicode, nested too deeply, or has a key twice.
    """
    completed: dict[str, None] = {}
    bad: list[int] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            status, step = _record(loads(line, unique=True))
        except NotJsonError as exc:
            if exc.is_doubtful:
                return None
            status = step = ""
        if not status:
            bad.append(number)
        elif status == "completed":
            completed[step] = None
        elif status in ("running", "failed"):
            completed.pop(step, None)
    return list(completed), bad[:100]


def _record(value: object) -> tuple[str, str]:
    """Return status and step; nothing where the value is no record."""
    fields = {"inputs": "", "result_file": "", **(as_object(value) or {})}
    texts = [fields.get(name) for name in ("step", "status", "inputs", "result_file")]
    if any(not isinstance(text, str) for text in texts) or texts[1] not in _STATUSES:
        return "", ""
    return str(texts[1]), str(texts[0])
