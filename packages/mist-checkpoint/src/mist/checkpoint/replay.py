"""What a log says, read line by line as mist-go reads it, but past lines that are bad."""

from typing import Literal

import msgspec

from mist.checkpoint.log_file import LogFile
from mist.checkpoint.record import ABSENT, UNREADABLE, Problem, explain

_MOST_PROBLEMS = 100


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What a resumed run needs of a `Record`."""

    step: str
    status: Literal["pending", "running", "completed", "failed", "skipped"]
    result: msgspec.Raw = ABSENT
    inputs: str = ""
    result_file: str = ""


_decoder = msgspec.json.Decoder(Entry)
read_entry = _decoder.decode


class Replay:
    """The state that a log leaves behind.

    Attributes:
        completed: The last record of each step that is completed.
        records: How many records were read.
        problems: The first hundred of the lines that were skipped.
        problem_count: How many were skipped.
        end: The size of what was read, in bytes, without a torn last line.
        torn: Whether there is a torn last line, to be cut off before anything is appended.
        unterminated: Whether the last record lacks its newline.
    """

    def __init__(self, file: LogFile) -> None:
        self.completed: dict[str, Entry] = {}
        self.records = 0
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.end = 0
        self.torn = False
        self.unterminated = False
        self._lines = 0
        for chunk in file.chunks():
            if chunk.endswith(b"\n"):
                self._read(chunk)
            elif chunk:
                self._read_tail(chunk)

    def _read(self, chunk: bytes) -> None:
        """Take whole lines: one call of the decoder for all of them, unless one is bad."""
        lines = chunk.count(b"\n")
        try:
            entries = _decoder.decode_lines(chunk)
        except UNREADABLE:
            entries = []
        # The decoder also takes a record that is broken over lines, and two on one line. Inside of
        # one, no line can end in a brace and the next begin with one.
        breaks = chunk.count(b"}\n{") + chunk.startswith(b"{")
        if not len(entries) == lines == breaks or not chunk.endswith(b"}\n"):
            entries = self._read_each(chunk)
        self._fold(entries)
        self._lines += lines
        self.end += len(chunk)

    def _read_tail(self, tail: bytes) -> None:
        """Take a last line without a newline: a record that lacks nothing else, or a torn one."""
        before = self.problem_count
        self._fold(self._read_each(tail))
        self.torn = self.problem_count > before
        self.unterminated = not self.torn
        if self.unterminated:
            self.end += len(tail)

    def _read_each(self, chunk: bytes) -> list[Entry]:
        entries: list[Entry] = []
        for number, line in enumerate(chunk.split(b"\n"), self._lines + 1):
            if line.strip():
                try:
                    entries.append(read_entry(line))
                except UNREADABLE:
                    self.problem_count += 1
                    if len(self.problems) < _MOST_PROBLEMS:
                        self.problems.append(Problem(number, explain(line)))
        return entries

    def _fold(self, entries: list[Entry]) -> None:
        completed = self.completed
        for entry in entries:
            status = entry.status
            if status == "completed":
                completed[entry.step] = entry
            elif status == "running" or status == "failed":  # noqa: PLR1714  # a set is slower
                completed.pop(entry.step, None)
        self.records += len(entries)
