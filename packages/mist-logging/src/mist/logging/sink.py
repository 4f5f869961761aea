"""Where lines go: one write for each, and no failure that reaches the program."""

import contextlib
import io
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol, cast

from mist.logging.errors import LoggingError

_PATIENCE = 0.1  # seconds to wait for room in a pipe that does not block


class Writer(Protocol):
    """Takes text or bytes, as `sys.stderr`, an open file or an `io.StringIO` does."""

    def write(self, line: Any, /) -> object:
        """Take one line, its end included."""
        ...


class Sink:
    """Writes lines and counts those that it cannot write.

    Args:
        writer: Where lines go; None is `sys.stderr`, as it is at each line.

    Raises:
        LoggingError: if the writer has no `write`.
    """

    def __init__(self, writer: Writer | None) -> None:
        if writer is not None and not callable(getattr(writer, "write", None)):
            raise LoggingError(
                f"a writer takes lines by its write(line): open a file and pass that, not {writer!r}"
            )
        self.dropped = 0
        self._writer = writer
        self._target: _Target = _target_of(writer)
        # Reentrant: a signal handler that logs may interrupt a thread that holds it.
        self._lock = threading.RLock()
        self._reported = False
        _sinks.add(self)

    @property
    def writer(self) -> object:
        """Where lines go now; None where there is no standard error."""
        return sys.stderr if self._writer is None else self._writer

    def write(self, line: bytes) -> None:
        """Write a line, its end included."""
        writer = self.writer
        target = self._target
        try:
            if target.writer is not writer:
                target = self._target = _target_of(writer)
            with self._lock:
                target.write(line)
        except Exception as failure:  # noqa: BLE001  # whatever a writer raises, the program goes on
            self.lost(failure)

    def lost(self, failure: Exception) -> None:
        """Count a line that could not be written; say so once, where that can be read."""
        with self._lock:
            self.dropped += 1
            if self._reported or self.writer is sys.stderr:
                return
            self._reported = True
        with contextlib.suppress(Exception):
            sys.stderr.write(f"mist.logging: log lines are lost: {failure!r}\n")

    def forget_threads(self) -> None:
        """Forget who was writing: in a forked child that thread does not exist."""
        self._lock = threading.RLock()
        self._target = _Nowhere()


_sinks: weakref.WeakSet[Sink] = weakref.WeakSet()


def _forget_threads() -> None:
    for sink in _sinks:
        sink.forget_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


class _Target(Protocol):
    """A writer, and how to write to it."""

    @property
    def writer(self) -> object: ...

    def write(self, line: bytes) -> None: ...


def _target_of(writer: object) -> _Target:
    if writer is None:
        return _Nowhere()
    descriptor = _descriptor_of(writer)
    if descriptor is None:
        return _Object(cast("Writer", writer))
    return _Descriptor(writer, descriptor)


class _Nowhere:
    """No standard error, as under pythonw: there is nobody to read."""

    writer = None

    def write(self, line: bytes) -> None:
        raise OSError(f"sys.stderr is None, {len(line)} bytes are lost")


class _Descriptor:
    """A file, pipe or terminal, written by the system's own `write`."""

    def __init__(self, writer: Any, descriptor: int) -> None:
        self.writer = writer
        self._flush: Callable[[], object] = writer.flush
        self._descriptor = descriptor
        self._patient = True
        self._torn = False

    def write(self, line: bytes) -> None:
        # What the program printed before comes before; and a closed file raises here, before its
        # descriptor, which may be another file's by now, is touched.
        try:  # noqa: SIM105  # `suppress` costs more than the flush
            self._flush()
        except RuntimeError:
            pass  # a signal handler has interrupted the program's own write, and must not wait
        if self._torn:
            line = b"\n" + line
        written = self._write(line)
        if written != len(line):
            self._finish(line, written)
        if not self._patient or self._torn:
            self._patient, self._torn = True, False

    def _finish(self, line: bytes, written: int) -> None:
        """Write the rest of a line that a full pipe took a part of."""
        deadline = time.monotonic() + (_PATIENCE if self._patient else 0)
        while written < len(line):
            self._torn = self._torn or written > 0
            if not _has_room(self._descriptor, max(0.0, deadline - time.monotonic())):
                # The next lines do not wait again until one gets through.
                self._patient = False
                raise BlockingIOError("the pipe is full and nobody reads it")
            written += self._write(line[written:])

    def _write(self, data: bytes) -> int:
        """Write as much as there is room for, and return how many bytes that was."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError:
            raise
        except BaseException:
            # What a signal handler raises, as for Ctrl-C, leaves untold how much has been written:
            # an empty line is better than two lines in one.
            self._torn = True
            raise


class _Object:
    """Anything else with a `write`: text if it takes text, else bytes, then flushed."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._write = writer.write
        self._flush: Callable[[], object] | None = getattr(writer, "flush", None)
        self._takes_bytes = _takes_bytes(writer)
        self._busy = False

    def write(self, line: bytes) -> None:
        if self._busy:
            raise RuntimeError("the writer logs to itself")
        self._busy = True
        try:
            if self._takes_bytes:
                self._write_bytes(line)
            else:
                self._write_text(line.decode())
            if self._flush is not None:
                self._flush()
        finally:
            self._busy = False

    def _write_text(self, line: str) -> None:
        try:
            self._write(line)
        except UnicodeEncodeError:
            from mist.logging.json_line import ascii_line  # noqa: PLC0415  # few writers lack UTF-8

            self._write(ascii_line(line))

    def _write_bytes(self, line: bytes) -> None:
        while line:
            written = self._write(line)
            if not isinstance(self.writer, io.RawIOBase):
                return
            if not isinstance(written, int):
                raise BlockingIOError("the writer is full")
            line = line[written:]


def _takes_bytes(writer: object) -> bool:
    if isinstance(writer, io.RawIOBase | io.BufferedIOBase):
        return True
    # What wraps a binary file for text passes its mode on, but has an encoding.
    return not hasattr(writer, "encoding") and "b" in str(getattr(writer, "mode", ""))


def _descriptor_of(writer: Any) -> int | None:
    """Return the descriptor of a writer that adds nothing to the bytes it passes on.

    A compressing file and a notebook's stream have a `fileno` too, which is not theirs.
    """
    try:
        if type(writer) is io.TextIOWrapper:
            if writer.encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
                return None
            return _descriptor_of(writer.buffer)
        if type(writer) in (io.BufferedWriter, io.BufferedRandom):
            return _descriptor_of(writer.raw)
        return writer.fileno() if type(writer) is io.FileIO else None
    except (OSError, ValueError):
        return None


def _has_room(descriptor: int, timeout: float) -> bool:
    import select  # noqa: PLC0415  # only for a full pipe

    if hasattr(select, "poll"):  # unlike select(), it takes descriptors from 1024 on
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(timeout * 1000))
    return bool(select.select([], [descriptor], [], timeout)[1])
