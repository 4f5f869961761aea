"""Everything that the program's libraries log, in one stream."""

import logging
import sys
import warnings as python_warnings
from collections.abc import Mapping
from typing import Self, TextIO

from mist.logging.level import Level
from mist.logging.stdlib import StdlibHandler
from mist.logging.stream import Stream


class Capture:
    """The standard library's records and Python's warnings on their way to a stream.

    It lasts until `remove()`, or for the length of a `with` block.
    """

    __module__ = "mist.logging"

    def __init__(
        self,
        stream: Stream,
        context: Mapping[str, object],
        *,
        level: Level | None,
        warnings: bool,
    ) -> None:
        self._stream = stream
        self._context = context
        self._level = level
        self._handler = StdlibHandler(stream, context)
        self._set_aside: list[tuple[logging.Logger, logging.Handler]] = []
        self._isolated: list[logging.Logger] = []
        self._root_level = logging.root.level
        self._take_records()
        self._show = python_warnings.showwarning
        if warnings:
            python_warnings.showwarning = self._showwarning

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Put everything back as it was; a second call does nothing."""
        if self._handler not in logging.root.handlers:
            return
        logging.root.removeHandler(self._handler)
        self._stream.on_level.remove(self._follow)
        if logging.root.level == self._lowered:
            logging.root.setLevel(self._root_level)
        for logger in self._isolated:
            logger.propagate = False
        for logger, handler in self._set_aside:
            logger.addHandler(handler)
        if python_warnings.showwarning == self._showwarning:
            python_warnings.showwarning = self._show

    def _take_records(self) -> None:
        known = logging.root.manager.loggerDict.values()
        for logger in (logging.root, *(each for each in known if isinstance(each, logging.Logger))):
            for handler in [each for each in logger.handlers if _shows(each)]:
                logger.removeHandler(handler)
                self._set_aside.append((logger, handler))
                if not logger.propagate:
                    logger.propagate = True
                    self._isolated.append(logger)
        logging.root.addHandler(self._handler)
        self._follow(self._stream.level)
        self._stream.on_level.append(self._follow)

    def _follow(self, level: int) -> None:
        """Let pass what the stream writes now."""
        least = level if self._level is None else max(level, self._level)
        self._handler.setLevel(least)
        self._lowered = min(least, self._root_level)
        logging.root.setLevel(self._lowered)

    def _showwarning(  # noqa: PLR0917  # the signature of warnings.showwarning
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if file is not None:
            self._show(message, category, filename, lineno, file, line)
        elif self._handler.level <= Level.WARN >= self._stream.level:
            fields = {
                "logger": "py.warnings",
                "category": category.__name__,
                "file": f"{filename}:{lineno}",
            }
            self._stream.log(Level.WARN.name, message, self._context, fields)


def _shows(handler: logging.Handler) -> bool:
    """Return whether a handler writes to standard output or error."""
    if not isinstance(handler, logging.StreamHandler):
        return False
    stream: object = handler.stream  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # generic
    return stream is not None and any(
        stream is each for each in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    )
