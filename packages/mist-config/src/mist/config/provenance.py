"""What a configuration was made from: the file, and what was laid over it."""

import functools
from collections import deque
from typing import Any, Literal

from mist.config.node import Section, fold
from mist.config.origin import Origin
from mist.config.value import NOTHING, KeyPath, at


class Provenance:
    """Tells the origin of every value.

    Args:
        root: what the configuration may hold.
        kind: what the tree was before anything was laid over it, a `file` or a `mapping`.
        file: the path as it was given; "" where there is none.
        text: the file's.
        prefix: what variables start with; None where there are no variables.
    """

    def __init__(
        self,
        root: Section,
        kind: Literal["file", "mapping"] = "mapping",
        file: str = "",
        text: str = "",
        prefix: str | None = None,
    ) -> None:
        self.root = root
        self.kind = kind
        self.file = file
        self.prefix = prefix
        self.tree: dict[str, Any] = {}
        self._text = text
        self._laid: dict[KeyPath, Origin] = {}

    def lay(self, path: KeyPath, origin: Origin, *, whole: bool = False) -> None:
        """Note where the value at a path comes from, now that it is laid over another.

        Args:
            path: where it is.
            origin: where it comes from.
            whole: whether it may have replaced values below the path, too.
        """
        if whole:
            for below in [each for each in self._laid if each[: len(path)] == path]:
                del self._laid[below]
        self._laid[path] = origin

    def origin(self, path: KeyPath) -> Origin:
        """Where the value at a path comes from."""
        for size in range(len(path), 0, -1):
            if path[:size] in self._laid:
                return self._laid[path[:size]]
        there = at(self.tree, path) is not NOTHING
        return self.place(path) if there else Origin("default")

    def place(self, path: KeyPath) -> Origin:
        """Where in the file a key is or, where it is not there, the table that lacks it."""
        if not self.file:
            return Origin("mapping" if self.kind == "mapping" else "default")
        for size in range(len(path), 0, -1):
            line = self._lines.get(path[:size]) or self._folded_lines.get(_folded(path[:size]))
            if line:
                return Origin("file", self.file, line)
        return Origin("file", self.file)

    @functools.cached_property
    def _lines(self) -> dict[KeyPath, int]:
        from mist.config.locate import Locations  # noqa: PLC0415  # only a mistake needs it

        return Locations(self._text).lines

    @functools.cached_property
    def _folded_lines(self) -> dict[KeyPath, int]:
        return {_folded(path): line for path, line in self._lines.items()}


# Structs take no weak references, so that the objects are kept: the last few, not all.
_loaded: deque[tuple[object, Provenance]] = deque(maxlen=32)


def remember(obj: object, provenance: Provenance) -> None:
    """Keep what a configuration was made from, for `recall`."""
    _loaded.append((obj, provenance))


def recall(obj: object) -> Provenance | None:
    """What a configuration was made from; None where it was made otherwise, or long ago."""
    return next((kept for made, kept in tuple(_loaded) if made is obj), None)


def _folded(path: KeyPath) -> KeyPath:
    return tuple(fold(step) if isinstance(step, str) else step for step in path)
