"""A run as a table for people to read."""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TextIO

from mist.checkpoint.record import Problem, Record, Status, read_records

_COLUMNS = ("STEP", "STATUS", "ATTEMPTS", "TOOK", "AT", "RESULT OR ERROR")
_WIDEST = 60  # characters of a result or an error
_MOST_PROBLEMS = 10


class _Step:
    """What the records of one step come to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = ""
        self.attempts = 0
        self.started: datetime | None = None
        self.ended: datetime | None = None
        self.note = ""

    def take(self, record: Record) -> None:
        """Take note of the next record."""
        self.status, moment = record.status, _moment(record.timestamp)
        self.note = ""
        if record.status == Status.RUNNING:
            self.attempts += 1
            self.started, self.ended = moment, None
        else:
            self.ended = moment
        self.attempts = max(self.attempts, record.attempt)
        if record.error:
            self.note = record.error
        elif record.result_file:
            self.note = f"in {record.result_file[:12]}....json"
        elif bytes(record.result):
            self.note = bytes(record.result).decode(errors="replace")

    def row(self) -> tuple[str, ...]:
        """Return the cells of the step's row."""
        took = "" if self.started is None or self.ended is None else self.ended - self.started
        last = self.ended or self.started
        return (
            _clean(self.name),
            _clean(self.status),
            str(self.attempts or ""),
            took if isinstance(took, str) else _duration(took),
            "" if last is None else f"{last:%Y-%m-%d %H:%M:%S}",
            _shortened(_clean(self.note)),
        )


def show(path: str, out: TextIO, err: TextIO) -> None:
    """Write a table of a run's steps, a line that sums it up, and on `err` what was skipped.

    Args:
        path: The log.
        out: Where the table goes.
        err: Where lines that are no records are reported, the first ten of them.

    Raises:
        OSError: The log cannot be read, or nobody reads the table.
    """
    steps: dict[str, _Step] = {}
    skipped = _Skipped(path, err)
    for record in read_records(path, on_problem=skipped.report):
        steps.setdefault(record.step, _Step(record.step)).take(record)
    rows = [step.row() for step in steps.values()]
    for line in _table([_COLUMNS, *rows]):
        print(line, file=out)
    print(_summary(steps), file=out)
    skipped.finish()


class _Skipped:
    """Reports lines that are no records, but not without end."""

    def __init__(self, path: str, err: TextIO) -> None:
        self._path, self._err, self._count = path, err, 0

    def report(self, problem: Problem) -> None:
        """Report one of the first ten, and count the rest."""
        self._count += 1
        if self._count <= _MOST_PROBLEMS:
            print(f"{_clean(self._path)}: {_clean(str(problem))}; skipped", file=self._err)

    def finish(self) -> None:
        """Say how many were not reported."""
        if self._count > _MOST_PROBLEMS:
            print(f"{self._count - _MOST_PROBLEMS} more lines were skipped", file=self._err)


def _summary(steps: dict[str, _Step]) -> str:
    counts: dict[str, int] = {}
    for step in steps.values():
        counts[step.status] = counts.get(step.status, 0) + 1
    known = [*Status]
    order = sorted(counts, key=lambda status: (status not in known, status))
    parts = ", ".join(f"{counts[status]} {_clean(status)}" for status in order)
    return f"{len(steps)} steps: {parts}" if steps else "no steps"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        cells = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def _clean(text: str) -> str:
    """Show what would control the terminal, as a line end or an escape sequence does."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _moment(timestamp: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(timestamp)
        return moment.astimezone() if moment.tzinfo else None
    except (ValueError, OverflowError):  # the latter where it is in no year from 1 to 9999 here
        return None


def _duration(took: timedelta) -> str:
    seconds = took.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:  # noqa: PLR2004  # in a minute
        return f"{seconds:.1f}s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m{seconds:02}s" if hours else f"{minutes}m{seconds:02}s"
