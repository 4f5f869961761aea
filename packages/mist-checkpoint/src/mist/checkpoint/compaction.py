"""Rewrite a log without what has been superseded."""

import os

import msgspec

from mist.checkpoint import disk
from mist.checkpoint.record import UNREADABLE, Record, Status
from mist.checkpoint.replay import Replay, read_entry

_FEWEST = 100  # records; a shorter log is read in no time
_PER_STEP = 2  # records that count: the start of the last attempt, and how it ended

_KNOWN = frozenset(Status)
_decode = msgspec.json.Decoder(Record).decode


def may_be_dominated(replay: Replay) -> bool:
    """Tell whether it is worth a closer look if most records of a log are superseded."""
    return replay.records > max(_FEWEST, 2 * _PER_STEP * len(replay.completed))


def compact(path: str, temporary: str) -> int | None:
    """Put in a log's place one that says the same, if that has less than half of its lines.

    Of each step it keeps the start of the last attempt and its end; and each record whose status
    is not known. Whenever the process or the machine dies, either the old log is there or the new:
    the new one for certain once the caller has waited for the directory to be on the disk.

    Args:
        path: The log.
        temporary: A file in the same directory; what is in it is lost.

    Returns:
        The size of the new log in bytes, None where the old one stays.

    Raises:
        OSError: The storage fails; the old log is as it was.
    """
    kept, lines = _kept_lines(path)
    if 2 * len(kept) > lines:
        return None
    with disk.read(path) as old, disk.create(temporary) as new:
        for number, line in enumerate(old):
            if number in kept:
                new.write(line if line.endswith(b"\n") else line + b"\n")
        size = disk.finish(new)
    os.replace(temporary, path)  # noqa: PTH105  # pathlib takes long to load
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


def _kept_lines(path: str) -> tuple[set[int], int]:
    """Return which lines still count, from 0, and how many there are."""
    steps: dict[str, _Kept] = {}
    kept: set[int] = set()
    number = -1
    with disk.read(path) as lines:
        for number, line in enumerate(lines):
            try:
                # Not one field more than a resumed run reads: what counts there is kept here.
                entry = read_entry(line)
            except UNREADABLE:
                if _is_of_another_version(line):
                    kept.add(number)
            else:
                steps.setdefault(entry.step, _Kept()).take(number, entry.status)
    for step in steps.values():
        kept.update(line for line in (step.start, step.end) if line is not None)
    return kept, number + 1


def _is_of_another_version(line: bytes) -> bool:
    """Tell whether a line is a record whose status is not known."""
    try:
        return _decode(line).status not in _KNOWN
    except UNREADABLE:
        return False
