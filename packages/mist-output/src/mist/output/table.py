"""Headers and rows, checked and turned into text, and the plain table of a pipe or a file."""

import json
from collections.abc import Iterable
from typing import NamedTuple, cast

from mist.output.errors import OutputError
from mist.output.json_line import json_line
from mist.output.text import columns, visible

_GAP = 2


class Table(NamedTuple):
    """Cells as text, not yet made safe; `numeric` holds the columns that are numbers only."""

    headers: list[str]
    rows: list[list[str]]
    numeric: frozenset[int]


def build_table(headers: Iterable[object], rows: Iterable[object]) -> Table:
    """Return the table of `headers` and `rows`; rows may be shorter or longer than the headers.

    Raises:
        OutputError: if a row is a string or not iterable; it names the row.
    """
    names = [_cell_text(header) for header in headers]
    texts: list[list[str]] = []
    words: set[int] = set()
    for at, row in enumerate(rows):
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise OutputError(f"a row is a sequence of cells, not {row!r}", f"rows[{at}]")
        cells = list(cast("Iterable[object]", row))
        texts.append([_cell_text(cell) for cell in cells])
        words.update(i for i, cell in enumerate(cells) if not _is_number_or_empty(cell))
    return Table(names, texts, frozenset(range(len(names))) - words)


def plain_table(table: Table, encoding: str) -> str:
    """Return the table as aligned lines, byte for byte as mist-go writes it.

    The last cell of a line is not padded, except the one of the underline.
    """
    underline = ["-"] * len(table.headers) + [""]
    lines = [
        [visible(cell, encoding) for cell in line]
        for line in (table.headers, underline, *table.rows)
    ]
    widths: dict[int, int] = {}
    for line in lines:
        for at, cell in enumerate(line[:-1]):
            widths[at] = max(widths.get(at, 0), columns(cell))
    return "".join(
        "".join(
            cell + " " * (widths[at] - columns(cell) + _GAP) for at, cell in enumerate(line[:-1])
        )
        + "".join(line[-1:])
        + "\n"
        for line in lines
    )


def _is_number_or_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return str.__str__(value)
    try:
        text = json_line(value)
    except OutputError:
        # A person can read what JSON cannot express.
        return str(value)
    return cast("str", json.loads(text)) if text.startswith('"') else text
