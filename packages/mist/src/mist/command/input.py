"""Files and standard input, read in chunks by a command that does nothing else meanwhile."""

import gzip
import os
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from mist.command.lasting_progress import lasting_progress
from mist.output import Progress
from mist.transport import TransportError

_CHUNK: Final = 256 << 10


class Input:
    """The bytes of one input, as an iterator of chunks.

    Attributes:
        name: What errors call it.
    """

    def __init__(self, name: str, on_position: Callable[[int], None]) -> None:
        """Open an input.

        Args:
            name: A path, decompressed if it ends in `.gz`, or `-` for standard input.
            on_position: Told how many bytes of the file have been read.

        Raises:
            TransportError: It cannot be opened.
        """
        self.name = "standard input" if name == "-" else name
        self._on_position = on_position
        if name != "-" and Path(name).is_dir():
            raise TransportError(
                f"cannot read {name}: it is a directory, name a file in it", code="validation"
            )
        try:
            raw: BinaryIO = os.fdopen(os.dup(0), "rb", 0) if name == "-" else open(name, "rb", 0)  # noqa: SIM115, PTH123  # closed by __exit__; unbuffered
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot read {self.name}") from exc
        self._raw = raw
        self._gzip = gzip.GzipFile(fileobj=raw) if name.endswith(".gz") else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._raw.close()

    def __iter__(self) -> Iterator[bytes]:
        read = self._raw.read if self._gzip is None else self._gzip.read1
        seekable = self._raw.seekable()
        try:
            while chunk := read(_CHUNK):
                yield chunk
                if seekable:
                    self._on_position(self._raw.tell())
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise TransportError(
                f"cannot read {self.name}: damaged gzip data: {exc}", code="protocol"
            ) from exc
        except OSError as exc:
            raise TransportError.from_os_error(exc, f"cannot read {self.name}") from exc


@contextmanager
def opening(names: list[str], label: str) -> Generator[Callable[[str], Input]]:
    """Show how far the reading of inputs is; yields what opens one after the other.

    Args:
        names: All their names, as `Input` takes them.
        label: What the progress line calls it.
    """
    sizes = [Path(name).stat().st_size for name in names if Path(name).is_file()]
    total = sum(sizes) if len(sizes) == len(names) else None
    with lasting_progress(total, label) as bar:
        yield lambda name: Input(name, partial(_show_position, bar, bar.done))


def _show_position(bar: Progress, before: int, position: int) -> None:
    bar.update(before + position)
