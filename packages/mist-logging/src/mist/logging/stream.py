"""What a logger and all that were bound from it share: level, form and writer."""

import threading
from collections.abc import Callable, Mapping

from mist.logging.context import contextual
from mist.logging.exceptions import exception_text
from mist.logging.form import Form
from mist.logging.names import Names
from mist.logging.record import RESERVED, plain_record, without_clashes
from mist.logging.secrets import Secrets
from mist.logging.sink import Sink
from mist.logging.timestamp import Timestamps
from mist.logging.values import Plain
from mist.trace import current

# What Loki takes by default; it is far less than what would hurt the program.
MAX_LINE = 262_144  # bytes

# Characters for the values of a line: escaped, one may take several bytes, so there is a second
# attempt.
_ROOM = MAX_LINE // 2
_SMALL_ROOM = MAX_LINE // 16

_NESTING = 3  # lines that are written while a value of another line tells its text
_nesting = threading.local()


class Stream:
    """Turns log calls into lines and writes them; to structlog, the logger that it wraps.

    Args:
        tool: Who logs.
        level: The least level that is written, as a number.
        form: How a line looks.
        sink: Where it goes.
        times: When it is.
        secrets: What it does not show.
    """

    def __init__(
        self, tool: str, level: int, *, form: Form, sink: Sink, times: Timestamps, secrets: Secrets
    ) -> None:
        self.level = level
        self.on_level: list[Callable[[int], None]] = []
        self.sink = sink
        self.tool = tool
        self._form = form
        self._now = form.clock(times)
        self._secrets = secrets
        self._names = Names(secrets)
        self._shown_tool = self._plain(MAX_LINE).text(tool)

    def set_level(self, level: int) -> None:
        """Change the least level that is written."""
        self.level = level
        for follow in tuple(self.on_level):
            follow(level)

    def log(
        self, level: str, msg: object, context: Mapping[str, object], fields: Mapping[str, object]
    ) -> None:
        """Write a line, whatever the level; whatever goes wrong, nothing is raised."""
        try:
            around = contextual.get()
            if around or context:
                fields = {**around, **context, **fields}
            self.sink.write(self.line(level, msg, fields))
        except Exception as failure:  # noqa: BLE001  # a log call never raises
            self.sink.lost(failure)

    def line(self, level: str, msg: object, fields: Mapping[str, object]) -> bytes:
        """Return a line, its end included."""
        try:
            record = self._record(level, msg, fields)
            return self._quick_line(record) or self._careful_line(record)
        except Exception as failure:  # noqa: BLE001  # the line must come out
            return self._emergency_line(level, msg, failure)

    def _record(self, level: str, msg: object, fields: Mapping[str, object]) -> dict[str, object]:
        span = current()
        if not RESERVED.isdisjoint(fields):
            trace = {} if span is None else {"trace_id": span.trace_id, "span_id": span.span_id}
            fields = without_clashes(fields, trace)
        record = {
            "time": self._now(),
            "level": level,
            "msg": msg,
            "tool": self._shown_tool,
            **fields,
        }
        if span is not None:
            record["trace_id"] = span.trace_id
            record["span_id"] = span.span_id
        return record

    def _quick_line(self, record: dict[str, object]) -> bytes | None:
        """Return the line of a record of plain names and values; None if there are others."""
        names = self._names
        try:
            if not (
                names.all_plain(record)
                and names.all_plain_values(record.values())
                and type(record["msg"]) is str
            ):
                return None
            line = self._form.encode(record)
        except Exception:  # noqa: BLE001  # the careful way finds out which value it is
            return None
        if len(line) >= MAX_LINE or (b"://" in line and b"@" in line):
            return None
        return line + b"\n"

    def _careful_line(self, record: dict[str, object]) -> bytes:
        depth = getattr(_nesting, "depth", 0)
        if depth >= _NESTING:
            raise RecursionError("a value logs itself")
        _nesting.depth = depth + 1
        try:
            line = self._form.encode(plain_record(record, self._plain(_ROOM)))
            if len(line) >= MAX_LINE:
                line = self._form.encode(plain_record(record, self._plain(_SMALL_ROOM)))
        finally:
            _nesting.depth = depth
        return line + b"\n"

    def _emergency_line(self, level: str, msg: object, failure: Exception) -> bytes:
        plain = self._plain(1024)
        record = {
            "time": self._form.clock(Timestamps())(),
            "level": level,
            "msg": plain.text(msg) if type(msg) is str else f"!ERROR: {type(msg).__qualname__}",
            "tool": self._shown_tool,
            "error": f"!ERROR: {type(failure).__name__}: {plain.text(exception_text(failure))}",
        }
        return self._form.encode(record) + b"\n"

    def _plain(self, room: int) -> Plain:
        return Plain(self._form, self._secrets, room)

    def msg(self, line: bytes) -> None:
        """Write what structlog's processors made."""
        self.sink.write(line)

    debug = info = warning = warn = error = critical = exception = fatal = notset = msg
