"""A disk that fails in the middle of an append: nothing that was taken is lost, nothing is fused."""

import errno
import os
from pathlib import Path

import pytest

from mist.protocol import Message, ProtocolError
from mist.transport.errors import EndOfStream, TransportError
from mist.transport.file import Appender, File
from mist.transport.lines import marshal_line


class Disk:
    """A disk that takes a part of one write, and then fails.

    Args:
        fails_at: Which write fails, counted from 0.
        part: How many bytes of it are written, from the end where it is negative.
        told: Whether that many are reported, as by POSIX, and the next write fails; else the
            error comes with this one, as from disks that find out late.
    """

    def __init__(self, fails_at: int, part: int, *, told: bool) -> None:
        self._left, self._part, self._told = fails_at, part, told

    def write(self, fd: int, data: bytes) -> int:
        """Write, or fail."""
        self._left -= 1
        if self._left == -1 and self._part:
            written = os.write(fd, data[: self._part])
            if self._told:
                return written
        if self._left == -1 or (self._left == -2 and self._told):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return os.write(fd, data)


def append_all(path: Path, messages: list[Message], disk: Disk, *, readable: bool) -> list[Message]:
    """Append messages; return those that were taken. Who was refused hears of file and reason."""
    flags = os.O_RDWR if readable else os.O_WRONLY
    fd = os.open(path, os.O_CREAT | os.O_APPEND | flags, 0o600)
    appender = Appender(fd, path, readable=readable, write=disk.write)
    taken = []
    for message in messages:
        error = append(appender, message)
        if error is None:
            taken.append(message)
        else:
            assert error.startswith(f"cannot append to {path}: ")
            assert "Input/output error" in error or "bytes were written" in error
    appender.close()
    return taken


def append(appender: Appender, message: Message) -> str | None:
    """Append a message; return what is told where that fails."""
    try:
        appender.append(marshal_line(message))
    except TransportError as exc:
        return str(exc)
    return None


async def read_back(path: Path) -> tuple[list[Message], list[str]]:
    """Return the messages that a file has, and what is told of its lines that are none."""
    found, told = [], []
    async with File(path) as file:
        while True:
            try:
                found.append(await file.receive())
            except ProtocolError as exc:
                told.append(str(exc))
            except EndOfStream:
                return found, told


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("part", [0, 1, 40, -1])
@pytest.mark.parametrize("fails_at", [0, 1, 4])
async def test_an_append_that_fails_half_way_costs_no_other(
    tmp_path: Path, samples: list[Message], *, fails_at: int, part: int, told: bool, readable: bool
) -> None:
    """What was taken before and after is there whole, in order; a torn line is one bad line."""
    path, messages = tmp_path / "messages.jsonl", samples[:5]
    taken = append_all(path, messages, Disk(fails_at, part, told=told), readable=readable)
    assert len(taken) >= len(messages) - 2
    found, bad = await read_back(path)
    assert [message for message in found if message in taken] == taken
    assert len(bad) <= 1
    assert all(str(path) in each for each in bad)
    # Who opens it next begins a line of its own.
    async with File(path) as file:
        await file.send(samples[9])
    again, _ = await read_back(path)
    assert again[-1] == samples[9]
    assert [message for message in again if message in taken] == taken
