"""Rewrite a log without what has been superseded."""

import os
from pathlib import Path

import msgspec

from mist.checkpoint.disk import create, sync_directory, sync_file
from mist.checkpoint.record import Record, Status
from mist.checkpoint.replay import Replay

_FEWEST = 100  # records; a shorter log is read in no time
_PER_STEP = 2  # records that are kept: the start of the last attempt, and how it ended

_decode = msgspec.json.Decoder(Record).decode


def is_dominated(replay: Replay) -> bool:
    """Tell whether most records of a log are superseded."""
    steps = len(replay.others | replay.completed.keys())
    return replay.records > max(_FEWEST, 2 * _PER_STEP * steps)


def compact(path: str, temporary: str) -> int:
    """Put in a log's place one that says the same, and return its size in bytes.

    Of each step it keeps the start of the last attempt and its end; and each record whose status
    is not known. Whenever the process or the machine dies, either the old log is there or the new.

    Args:
        path: The log.
        temporary: A file in the same directory; what is in it is lost.

    Raises:
        OSError: The storage fails; the old log is as it was.
    """
    kept = _kept_lines(path)
    with Path(path).open("rb") as old, create(temporary) as new:
        for number, line in enumerate(old):
            if number in kept:
                new.write(line if line.endswith(b"\n") else line + b"\n")
        new.flush()
        sync_file(new.fileno())
        size = new.tell()
    Path(temporary).replace(path)
    sync_directory(os.path.dirname(path))  # noqa: PTH120  # a str all along
    return size


class _Kept:
    """Where the records are that still count for one step."""

    __slots__ = ("end", "is_completed", "start")

    def __init__(self) -> None:
        self.start: int | None = None
        self.end: int | None = None
        self.is_completed = False

    def take(self, number: int, status: str) -> None:
        """Take note of a record, with the verdicts of `Replay`."""
        if status == Status.RUNNING:
            self.start, self.end, self.is_completed = number, None, False
        elif status in {Status.COMPLETED, Status.FAILED}:
            self.end, self.is_completed = number, status == Status.COMPLETED
        elif not self.is_completed:
            self.end = number


def _kept_lines(path: str) -> set[int]:
    steps: dict[str, _Kept] = {}
    kept: set[int] = set()
    known = set(Status)
    with Path(path).open("rb") as lines:
        for number, line in enumerate(lines):
            try:
                record = _decode(line)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            if record.status in known:
                steps.setdefault(record.step, _Kept()).take(number, record.status)
            else:
                kept.add(number)
    for step in steps.values():
        kept.update(number for number in (step.start, step.end) if number is not None)
    return kept
