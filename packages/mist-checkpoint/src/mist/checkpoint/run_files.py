"""The files of one run: the log, the lock, the large results."""

import os
from collections.abc import Callable

from mist.checkpoint import disk
from mist.checkpoint.compaction import compact, may_be_dominated
from mist.checkpoint.errors import StorageError
from mist.checkpoint.log import Log
from mist.checkpoint.log_file import LogFile
from mist.checkpoint.replay import Replay
from mist.checkpoint.result_files import ResultFiles
from mist.checkpoint.run_lock import RunLock


class RunFiles:
    """Where a run is kept. The suffixes are no longer than that of the log.

    Args:
        directory: The directory, which is made with mode 0700 where it is missing.
        run_id: A valid run id.
        open_file: Opens the log.
    """

    def __init__(
        self, directory: str, run_id: str, open_file: Callable[[str], LogFile] = LogFile
    ) -> None:
        self._directory = directory
        self._run_id = run_id
        self._open_file = open_file
        self._log: Log | None = None
        self.lock = RunLock(self._path(".lock"))

    @property
    def path(self) -> str:
        """The log."""
        return self._path(".jsonl")

    @property
    def results(self) -> ResultFiles:
        """The large results."""
        return ResultFiles(self._path(".data"))

    @property
    def log(self) -> Log:
        """The log, open."""
        if self._log is None:
            raise RuntimeError("the run is not open")
        return self._log

    def try_open(self) -> Replay | None:
        """Lock the run and read its log; return None where somebody else has it.

        Raises:
            StorageError: A file or the directory cannot be made, read or written.
        """
        try:
            self._directory = os.path.abspath(self._directory)  # noqa: PTH100  # slow to import
            disk.make_directory(self._directory)
            if not self.lock.acquire():
                return None
            try:
                self.lock.sign()
                return self._load()
            except BaseException:
                self.lock.release()
                raise
        except StorageError:
            raise
        except (FileExistsError, NotADirectoryError) as exc:
            raise StorageError.of(
                exc,
                f"cannot open {self.path}: the directory of the runs, or one above it, is a file",
            ) from exc
        except OSError as exc:
            raise StorageError.of(exc, f"cannot open {self.path}") from exc

    def clear(self) -> None:
        """Forget every record and result.

        Raises:
            StorageError: The storage fails.
        """
        try:
            self.log.clear()
        except OSError as exc:
            raise StorageError.of(exc, f"cannot clear {self.path}") from exc
        self.results.keep_only(())

    def close(self) -> None:
        """Write what is still to be written, and let others open the run."""
        try:
            if self._log is not None:
                self._log.close()
        finally:
            self.lock.release()

    def _load(self) -> Replay:
        file = self._open_file(self.path)
        try:
            replay = Replay(file)
            if replay.end:
                # A run that was killed may have left records that are not on the disk yet.
                file.sync()
        except BaseException:
            file.close()
            raise
        if may_be_dominated(replay):
            file.close()
            self._compact(replay)
            file = self._open_file(self.path)
        self._log = Log(file, end=replay.end, torn=replay.torn, unterminated=replay.unterminated)
        return replay

    def _compact(self, replay: Replay) -> None:
        temporary = self._path(".tmp")
        try:
            size = compact(self.path, temporary)
        except OSError:  # no room for it: the log is good as it is
            disk.discard(temporary)
            return
        if size is not None:
            # Else a loss of power could bring the old log back, without what is appended to the new.
            disk.sync_parent(self.path)
            replay.end, replay.torn, replay.unterminated = size, False, False
            self.results.keep_only({entry.result_file for entry in replay.completed.values()})

    def _path(self, suffix: str) -> str:
        return f"{self._directory}/{self._run_id}{suffix}"

    def __del__(self) -> None:
        if self._log is not None:
            self._log.forget()
