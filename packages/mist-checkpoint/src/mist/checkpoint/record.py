"""One line of the log."""

import functools
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from os import PathLike

import msgspec

from mist.checkpoint import disk

ABSENT = msgspec.Raw(b"")


class Status(StrEnum):
    """What a record says about its step."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the log, in the form that mist-go reads and writes.

    Attributes:
        step: The step's name.
        status: A `Status`, or a word that only a newer version knows.
        timestamp: When it was written, in RFC 3339 with nanoseconds.
        result: The result's JSON; empty where there is none, or where it is in a file.
        error: Why the step failed.
        attempt: The number of the attempt, from 1; 0 where the step is not retried.
        inputs: The SHA-256 of the step's inputs, in hexadecimal. mist-go ignores it.
        result_file: The SHA-256 of a result in a file of its own. mist-go ignores it.
    """

    step: str
    status: str
    timestamp: str = ""
    result: msgspec.Raw = ABSENT
    error: str = ""
    attempt: int = 0
    inputs: str = ""
    result_file: str = ""


class Problem(msgspec.Struct, frozen=True):
    """A line of a log that is skipped.

    Attributes:
        line: Its number, from 1.
        reason: What is wrong with it.
    """

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


def encode_line(record: Record) -> bytes:
    """Return a record as a line of the log."""
    return _encode(record) + b"\n"


def timestamp() -> str:
    """Return the present moment in RFC 3339, with nanoseconds, in UTC."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_until_the_second(seconds)}.{nanoseconds:09d}Z"


@functools.lru_cache(maxsize=4)
def _until_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def read_records(
    path: str | PathLike[str], *, on_problem: Callable[[Problem], object] | None = None
) -> Iterator[Record]:
    """Read the records of a log in their order; lines that are none are skipped.

    The run may be going on meanwhile. A record with a status that is not known is among them.

    Args:
        path: The log, `{run_id}.jsonl`.
        on_problem: Called with each line that is skipped.

    Raises:
        OSError: The file cannot be read.
    """
    with disk.read(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    record = _decode(line)
                except UNREADABLE:
                    if on_problem is not None:
                        on_problem(Problem(number, explain(line)))
                else:
                    yield record


def explain(line: bytes) -> str:
    """Say why a line of the log is skipped."""
    try:
        record = _decode(line)
    except msgspec.ValidationError as exc:
        return f"not a record: {exc}"
    except UNREADABLE as exc:
        return "torn or not JSON" if not line.rstrip().endswith(b"}") else f"not JSON: {exc}"
    return f"unknown status {record.status!r}, written by a newer version perhaps"
