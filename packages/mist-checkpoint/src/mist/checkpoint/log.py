"""Append to the log: records that come together share one write and one fsync."""

import contextlib
import threading
from collections.abc import Callable

from mist.checkpoint.errors import CheckpointError
from mist.checkpoint.latch import Latch
from mist.checkpoint.log_file import LogFile


class Batch(Latch):
    """Records that reach the disk together, or together do not.

    Attributes:
        error: What went wrong if they did not; known once the latch is open.
    """

    __slots__ = ("error", "landed", "lines", "needs_sync")

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []
        self.landed: list[Callable[[Exception | None], None]] = []
        self.needs_sync = False
        self.error: Exception | None = None


class Log:
    """Writes records in a thread of its own.

    While one batch is on its way to the disk the next one gathers: the more steps run at once,
    the more of them share an fsync. A record alone is not delayed.

    Args:
        file: The file, which this object closes.
        end: The size of its good part, in bytes.
        torn: Whether something follows the good part, to be cut off before the next record.
        unterminated: Whether the last record lacks its newline.
    """

    def __init__(self, file: LogFile, *, end: int, torn: bool, unterminated: bool) -> None:
        self._file = file
        self._end = end
        self._torn = torn
        self._unterminated = unterminated
        self._changed = threading.Condition()
        self._gathering = Batch()
        self._is_writing = False
        self._is_closed = False
        self._is_forgotten = False
        self._ended = Latch()
        self.is_failing = False
        threading.Thread(target=self._write, name="mist-checkpoint", daemon=True).start()

    def append(
        self,
        line: bytes,
        *,
        sync: bool = True,
        landed: Callable[[Exception | None], None] | None = None,
    ) -> Batch:
        """Hand a line over, and return the batch that opens when it is on the disk.

        Args:
            line: A record with its newline.
            sync: False for a record that nobody waits for: it is written, and the next fsync,
                whoever needs it, takes it to the disk.
            landed: Called in the writing thread, before the batch opens, with what went wrong.

        Raises:
            CheckpointError: The log is closed.
        """
        with self._changed:
            if self._is_closed:
                raise CheckpointError("the run is closed", code="conflict")
            batch = self._gathering
            batch.lines.append(line)
            batch.needs_sync |= sync
            if landed is not None:
                batch.landed.append(landed)
            self._changed.notify_all()
        return batch

    def clear(self) -> None:
        """Drop every record, on the disk too, once those handed over before are written.

        Raises:
            OSError: The storage fails; the records may be there still.
        """
        with self._changed:
            while self._gathering.lines or self._is_writing:
                self._changed.wait()
            self._file.cut(0)
            self._end, self._torn, self._unterminated = 0, False, False
            self._file.sync()

    def close(self) -> None:
        """Write what was handed over, and close the file; only the first call does anything."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            is_idle = not self._gathering.lines and not self._is_writing
            self._changed.notify_all()
        if not is_idle:
            self._ended.block()
        self._file.close()

    def forget(self) -> None:
        """Close the log without waiting: whoever had it has lost it."""
        with self._changed:
            self._is_forgotten = not self._is_closed
            self._is_closed = True
            self._changed.notify_all()

    def _write(self) -> None:
        while self._write_next():
            pass
        if self._is_forgotten:
            self._file.close()
        self._ended.open()

    def _write_next(self) -> bool:
        """Wait for a batch and take it to the disk; return False where there will be none."""
        batch = self._next()
        if batch is None:
            return False
        try:
            self._commit(batch)
        except Exception as exc:  # noqa: BLE001  # whatever it is, somebody waits for it
            batch.error = exc
        self.is_failing = batch.error is not None
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
        for landed in batch.landed:
            landed(batch.error)
        batch.open()
        return True

    def _next(self) -> Batch | None:
        with self._changed:
            while not self._gathering.lines:
                if self._is_closed:
                    return None
                self._changed.wait()
            self._is_writing = True
            batch, self._gathering = self._gathering, Batch()
            return batch

    def _commit(self, batch: Batch) -> None:
        data = b"".join(batch.lines)
        if self._torn:
            self._cut()
        if self._unterminated:
            data = b"\n" + data
        try:
            self._file.append(data)
            if batch.needs_sync:
                self._file.sync()
        except Exception:
            # Some of it may be in the file, where the next record would fuse with it, and a later
            # run would take for done what was reported as failed.
            self._torn = True
            with contextlib.suppress(OSError):  # tried again, and reported, by the next record
                self._cut()
            raise
        self._end += len(data)
        self._unterminated = False

    def _cut(self) -> None:
        self._file.cut(self._end)
        self._file.sync()
        self._torn = False
