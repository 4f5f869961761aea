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
from mist.logging.values import PLAIN_TYPES, Plain
from mist.trace import current

# What Loki takes by default; it is far less than what would hurt the program.
MAX_LINE = 262_144  # bytes

# Characters for the values of a line, in two attempts: escaped, one can take six bytes.
_ROOMS = (MAX_LINE // 2, MAX_LINE // 16)

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
        self, tool: str, level: int, form: Form, sink: Sink, times: Timestamps, secrets: Secrets
    ) -> None:
        self.level = level
        self.on_level: list[Callable[[int], None]] = []
        self.sink = sink
        self.tool = tool
        self._form = form
        self._times = times
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
            if (
                self._names.all_plain(record)
                and PLAIN_TYPES.issuperset(map(type, record.values()))
                and type(msg) is str
            ):
                line = self._quick_line(record)
                if line is not None:
                    return line
            return self._careful_line(record)
        except Exception as failure:  # noqa: BLE001  # the line must come out
            return self._emergency_line(level, msg, failure)

    def _record(self, level: str, msg: object, fields: Mapping[str, object]) -> dict[str, object]:
        span = current()
        if not RESERVED.isdisjoint(fields):
            trace = {} if span is None else {"trace_id": span.trace_id, "span_id": span.span_id}
            fields = without_clashes(fields, trace)
        record = {
            "time": self._form.now(self._times),
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
        """Return the line of plain values, or None if they are not that plain after all."""
        try:
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
            for room in _ROOMS:
                line = self._form.encode(plain_record(record, self._plain(room)))
                if len(line) < MAX_LINE:
                    break
        finally:
            _nesting.depth = depth
        return line + b"\n"

    def _emergency_line(self, level: str, msg: object, failure: Exception) -> bytes:
        plain = self._plain(1024)
        record = {
            "time": self._form.now(Timestamps()),
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
