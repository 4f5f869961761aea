"""The standard library's log records as lines of a stream."""

import logging
from collections.abc import Mapping
from typing import cast

from mist.logging.level import nearest_level
from mist.logging.stream import Stream

# What every record has, and what formatters and uvicorn (a message in colours) add to it.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {
    "asctime",
    "color_message",
    "message",
    "taskName",
}


class StdlibHandler(logging.Handler):
    """Writes records to a stream, with `logger` and the fields of `extra`."""

    def __init__(self, stream: Stream, context: Mapping[str, object]) -> None:
        super().__init__()
        self._stream = stream
        self._context = context

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a record that passes the filters, without the handler's lock.

        The stream has what it needs, and a value's text may take long or log by itself.
        """
        # From Python 3.12 on it may be another record.
        passed = cast("bool | logging.LogRecord", self.filter(record))
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        level = nearest_level(record.levelno)
        if level >= self._stream.level:
            msg, fields = self._parts(record)
            self._stream.log(level.name, msg, self._context, fields)

    def _parts(self, record: logging.LogRecord) -> tuple[object, dict[str, object]]:
        fields: dict[str, object] = {}
        if record.name != self._stream.tool:
            fields["logger"] = record.name
        msg: object = record.msg
        try:
            msg = record.getMessage()
        except Exception as failure:  # noqa: BLE001  # arguments that do not fit, or raise
            fields["args"] = record.args
            fields["args_error"] = failure
        fields.update((key, it) for key, it in record.__dict__.items() if key not in _OWN)
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        if record.stack_info:
            fields["stack_info"] = record.stack_info
        return msg, fields


class StdlibLogger(logging.Logger):
    """A logger outside the standard library's tree, at the level of its stream."""

    def __init__(self, name: str, stream: Stream, context: Mapping[str, object]) -> None:
        super().__init__(name)
        self.propagate = False
        self._stream = stream
        self._context = context
        self.addHandler(StdlibHandler(stream, context))

    def getEffectiveLevel(self) -> int:  # noqa: N802  # the standard library's name
        """Return the stream's level, unless `setLevel` asked for more."""
        return max(self.level, self._stream.level)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the standard library's name
        """Return whether a record of this level is written; never cached, as levels change."""
        enabled = not self.disabled and level > self.manager.disable
        return enabled and level >= self.getEffectiveLevel()

    def getChild(self, suffix: str) -> "StdlibLogger":  # noqa: N802  # the standard library's name
        """Return a logger of a longer name that writes to the same stream."""
        return StdlibLogger(f"{self.name}.{suffix}", self._stream, self._context)
