"""Large results: files beside the log, named by the SHA-256 of what is in them."""

import contextlib
import hashlib
import itertools
import os
import re
from collections.abc import Container
from pathlib import Path

from mist.checkpoint.disk import create, sync_directory, sync_file
from mist.checkpoint.errors import CheckpointError, StorageError

_NAME = re.compile("[0-9a-f]{64}")
_temporary = itertools.count()


class ResultFiles:
    """The directory `{run_id}.data`, which exists from the first large result on.

    Args:
        path: The directory.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def put(self, content: bytes) -> str:
        """Keep some content, safe on the disk, and return the name it has.

        Raises:
            StorageError: It could not be kept.
        """
        name = hashlib.sha256(content).hexdigest()
        final = self._file(name)
        # Steps with the same result may come at the same time.
        temporary = self._path / f"{name}.{os.getpid()}-{next(_temporary)}.tmp"
        try:
            if not final.exists():
                if not self._path.exists():
                    self._path.mkdir(mode=0o700, exist_ok=True)
                    sync_directory(str(self._path.parent))
                with create(str(temporary)) as file:
                    file.write(content)
                    file.flush()
                    sync_file(file.fileno())
                temporary.replace(final)
            sync_directory(str(self._path))
        except OSError as exc:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StorageError.of(exc, f"cannot keep a result in {final}") from exc
        return name

    def get(self, name: str) -> bytes:
        """Return the content that has a name.

        Raises:
            StorageError: The file is gone or cannot be read.
            CheckpointError: What is in it is not what was put there.
        """
        if not _NAME.fullmatch(name):
            raise CheckpointError(f"{name!r} is not the name of a result: the log is damaged")
        file = self._file(name)
        try:
            content = file.read_bytes()
        except OSError as exc:
            raise StorageError.of(exc, f"cannot read the result in {file}") from exc
        if hashlib.sha256(content).hexdigest() != name:
            raise CheckpointError(f"the result in {file} is damaged: its SHA-256 is another one")
        return content

    def keep_only(self, names: Container[str]) -> None:
        """Remove all other content, as far as the operating system lets it be removed."""
        with contextlib.suppress(OSError):
            for file in self._path.iterdir():
                if file.suffix != ".json" or file.stem not in names:
                    with contextlib.suppress(OSError):
                        file.unlink()
            if not any(self._path.iterdir()):
                self._path.rmdir()

    def _file(self, name: str) -> Path:
        return self._path / f"{name}.json"
