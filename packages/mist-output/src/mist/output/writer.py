"""Results on standard output: JSON lines for programs, tables for people."""

from __future__ import annotations

import sys

from mist.output.errors import OutputError
from mist.output.terminal import (
    console_on,
    encoding_of,
    is_styled,
    is_terminal,
    unwrapped,
    width_of,
)

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal, TextIO

    from mist.output.table import Table


class Writer:
    """Writes results in one format, whole lines at a time, flushed as they are written.

    A table is plain, as mist-go writes it, when the stream is a pipe or a file, and drawn to fit
    when it is a terminal. A closed pipe raises `BrokenPipeError` from the call that met it.

    Args:
        format: `json` or `table`: what `write` and `error` produce.
        stream: Where results go; `sys.stdout` as it is at each call if not given.

    Raises:
        OutputError: if the format is neither.
    """

    def __init__(
        self,
        format: Literal["json", "table"] = "json",  # noqa: A002  # the contract's name
        stream: TextIO | None = None,
    ) -> None:
        if format not in ("json", "table"):
            raise OutputError(f"unknown output format {format!r}: choose json or table")
        self.format: Literal["json", "table"] = format
        self._stream = stream

    def json(self, value: object) -> None:
        """Write `value` as one line of JSON, whatever the format.

        Raises:
            OutputError: if a part of the value has no JSON form; it names the path.
        """
        _write_json(self._out(), value)

    def table(self, headers: Iterable[object], rows: Iterable[Iterable[object]]) -> None:
        r"""Write an aligned table, whatever the format.

        Cells are text or anything that `json` takes; None is an empty cell. Control characters
        and escape sequences are shown, not obeyed. A line end in a cell starts a new line inside
        the cell on a terminal and is written as `\n` elsewhere, so that a row stays one line.

        Raises:
            OutputError: if a row is not a sequence of cells; it names the row.
        """
        from mist.output.table import build_table  # noqa: PLC0415  # loads when it is used

        self._write_table(build_table(headers, rows))

    def write(self, value: object) -> None:
        """Write `value` in the writer's format.

        As a table, a record (mapping, dataclass, msgspec Struct, object) has a row for each field
        and a list of records a row for each record. Anything else is a JSON line in both formats.

        Raises:
            OutputError: if a part of the value has no JSON form; it names the path.
        """
        if self.format == "table":
            from mist.output.record_table import table_of  # noqa: PLC0415  # loads when it is used

            table = table_of(value)
            if table is not None:
                self._write_table(table)
                return
        self.json(value)

    def error(self, text: object) -> None:
        """Write an error as one line on `sys.stderr`: the text, or `{"error": text}` as JSON."""
        stream = unwrapped(sys.stderr)
        if self.format == "json":
            _write_json(stream, {"error": str(text)})
        else:
            from mist.output.text import visible  # noqa: PLC0415  # loads when it is used

            _write(stream, visible(str(text), encoding_of(stream)) + "\n")

    def _out(self) -> TextIO:
        return unwrapped(sys.stdout if self._stream is None else self._stream)

    def _write_table(self, table: Table) -> None:
        stream = self._out()
        if is_styled(stream):
            from mist.output.boxed_table import boxed_table  # noqa: PLC0415  # loads rich

            _write(stream, boxed_table(table, console_on(stream, width_of(stream))))
        else:
            from mist.output.table import plain_table  # noqa: PLC0415  # loads when it is used

            _write(stream, plain_table(table, encoding_of(stream)))


def _write_json(stream: TextIO, value: object) -> None:
    from mist.output.json_line import json_line  # noqa: PLC0415  # loads when it is used
    from mist.output.text import is_unicode  # noqa: PLC0415  # loads when it is used

    ascii_only = not is_unicode(encoding_of(stream))
    _write(stream, json_line(value, ascii_only=ascii_only) + "\n")


def _write(stream: TextIO | None, text: str) -> None:
    """Write whole lines in one call, so that threads and a progress bar never cut into them."""
    if stream is None:  # a program without a console, as under pythonw, has no standard streams
        return
    if is_terminal(stream):
        from mist.output.live_display import set_aside  # noqa: PLC0415  # only on terminals

        with set_aside():
            stream.write(text)
            stream.flush()
    else:
        stream.write(text)
        stream.flush()
