"""Large results: files beside the log, named by the SHA-256 of what is in them."""

import contextlib
import itertools
import os
from collections.abc import Container

from mist.checkpoint import disk
from mist.checkpoint.errors import CheckpointError, StorageError

_HEXADECIMAL = frozenset("0123456789abcdef")
_NAME_LENGTH = 64
_SUFFIX = ".json"

_temporary = itertools.count()


class ResultFiles:
    """The directory `{run_id}.data`, which exists from the first large result on.

    Args:
        directory: The directory.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def put(self, content: bytes) -> str:
        """Keep some content, safe on the disk, and return the name it has.

        Raises:
            StorageError: It could not be kept.
        """
        try:
            name = _sha256(content)
        except OSError as exc:  # it loads a module, for which there may be no file descriptor
            raise StorageError.of(exc, f"cannot keep a result in {self._directory}") from exc
        final = self._path(name)
        # Steps with the same result may come at the same time.
        temporary = f"{final}.{os.getpid()}-{next(_temporary)}.tmp"
        try:
            disk.make_directory(self._directory)
            if not os.access(final, os.F_OK):
                with disk.create(temporary) as file:
                    file.write(content)
                    disk.finish(file)
                disk.replace(temporary, final)
            else:
                disk.sync_parent(final)
        except OSError as exc:
            disk.discard(temporary)
            raise StorageError.of(exc, f"cannot keep a result in {final}") from exc
        return name

    def get(self, name: str) -> bytes:
        """Return the content that has a name.

        Raises:
            StorageError: The file is gone or cannot be read.
            CheckpointError: The name is none, or what is in the file is not what was put there.
        """
        if len(name) != _NAME_LENGTH or not _HEXADECIMAL.issuperset(name):
            raise CheckpointError(f"{name!r} is not the name of a result: the log is damaged")
        path = self._path(name)
        try:
            with disk.read(path) as file:
                content = file.read()
            digest = _sha256(content)
        except OSError as exc:
            raise StorageError.of(exc, f"cannot read the result in {path}") from exc
        if digest != name:
            raise CheckpointError(f"the result in {path} is damaged: its SHA-256 is another one")
        return content

    def keep_only(self, names: Container[str]) -> None:
        """Remove all other content, as far as the operating system lets it be removed."""
        with contextlib.suppress(OSError):
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    if entry.name.removesuffix(_SUFFIX) not in names:
                        disk.discard(entry.path)
            disk.discard_directory(self._directory)

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}{_SUFFIX}"


def _sha256(content: bytes) -> str:
    import hashlib  # noqa: PLC0415  # for runs with large results

    return hashlib.sha256(content).hexdigest()
