"""The logger."""

import logging
from typing import TYPE_CHECKING, Self

from structlog import BoundLoggerBase

from mist.logging.level import Level, level_of
from mist.logging.stream import Stream

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from mist.logging.capture import Capture


class Logger(BoundLoggerBase):
    """Writes lines of a message and fields; `mist.logging.new` makes one.

    A field may have any name. Those of the line itself, `time`, `level`, `msg`, `tool`, and
    `trace_id`, `span_id` while a span is current, get an underscore behind theirs. A field of the
    call replaces a bound one of its name, and that one replaces one of `mist.logging.bound`.
    `exc_info` takes an exception, True or a tuple, as in `logging`.

    Safe for concurrent use by threads and tasks. Log calls never raise. It is a structlog wrapper
    class, so `unbind`, `try_unbind` and `structlog.get_context` are there too.
    """

    __module__ = "mist.logging"

    _logger: Stream
    _context: dict[str, object]

    def debug(self, msg: object, /, **fields: object) -> None:
        """Write a line that only helps to find a fault."""
        stream = self._logger
        if stream.level <= 10:  # noqa: PLR2004  # a name would cost a fifth of a dropped line
            stream.log("DEBUG", msg, self._context, fields)

    def info(self, msg: object, /, **fields: object) -> None:
        """Write a line of the normal course of things."""
        stream = self._logger
        if stream.level <= 20:  # noqa: PLR2004  # as above
            stream.log("INFO", msg, self._context, fields)

    def warning(self, msg: object, /, **fields: object) -> None:
        """Write a line that somebody should look at some day."""
        stream = self._logger
        if stream.level <= 30:  # noqa: PLR2004  # as above
            stream.log("WARN", msg, self._context, fields)

    warn = warning

    def error(self, msg: object, /, **fields: object) -> None:
        """Write a line that somebody should look at."""
        self._logger.log("ERROR", msg, self._context, fields)

    def exception(self, msg: object, /, **fields: object) -> None:
        """Write an error with the exception being handled: `error`, `error_type`, `stack`."""
        fields.setdefault("exc_info", True)
        self._logger.log("ERROR", msg, self._context, fields)

    def log(self, level: Level | int | str, msg: object, /, **fields: object) -> None:
        """Write a line of any level.

        Raises:
            LoggingError: if there is no such level.
        """
        chosen = level_of(level)
        if self._logger.level <= chosen:
            self._logger.log(chosen.name, msg, self._context, fields)

    def bind(self, /, **fields: object) -> Self:
        """Return a logger that gives each line these fields too; it shares all else with this."""
        return type(self)(self._logger, self._processors, {**self._context, **fields})

    def new(self, /, **fields: object) -> Self:
        """Return a logger with these fields and none of this one's."""
        return type(self)(self._logger, self._processors, {**fields})

    @property
    def level(self) -> Level:
        """The least level that is written."""
        return Level(self._logger.level)

    def set_level(self, level: Level | int | str) -> None:
        """Change the level of this logger, of that it was bound from, and of all bound from it.

        Raises:
            LoggingError: if there is no such level.
        """
        self._logger.set_level(level_of(level))

    @property
    def dropped(self) -> int:
        """How many lines could not be written, because the writer failed."""
        return self._logger.sink.dropped

    def stdlib(self) -> logging.Logger:
        """Return a standard-library logger that writes here, with this logger's bound fields.

        Its level is this logger's. It is not registered: `logging.getLogger` does not find it.
        """
        from mist.logging.stdlib import StdlibLogger  # noqa: PLC0415  # loads when it is used

        return StdlibLogger(self._logger.tool, self._logger, self._context)

    def structlog(self) -> "FilteringBoundLogger":
        """Return structlog's own filtering logger, with its whole interface, that writes here.

        Its level is this logger's, and it honours `structlog.contextvars`.
        """
        from mist.logging.structlog_logger import structlog_logger  # noqa: PLC0415  # as above

        return structlog_logger(self._logger, self._processors, self._context)

    def capture_stdlib(
        self, *, level: Level | int | str | None = None, warnings: bool = True
    ) -> "Capture":
        """Write here what all loggers of the standard library log, until the result is removed.

        Handlers that write to standard output or error are set aside meanwhile, so that nothing
        is shown twice; all others stay. The fields of a line are `logger` and those of `extra`.

        Args:
            level: The least level to take; this logger's own, also when that changes, if None.
            warnings: Take Python's warnings too.

        Raises:
            LoggingError: if there is no such level.
        """
        from mist.logging.capture import Capture  # noqa: PLC0415  # as above

        chosen = None if level is None else level_of(level)
        return Capture(self._logger, self._context, level=chosen, warnings=warnings)

    def __deepcopy__(self, memo: object) -> Self:
        # Settings that hold a logger are copied, as pydantic does with defaults; writers cannot be.
        return self

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        fields = f" bound to {', '.join(map(str, self._context))}" if self._context else ""
        return f"<mist.logging.Logger of {self._logger.tool!r} at {self.level.name}{fields}>"
