"""The table of a terminal: borders, colour, and cells that fit its width."""

from itertools import zip_longest

from rich import box
from rich.console import Console
from rich.table import Column
from rich.table import Table as RichTable
from rich.text import Text

from mist.output.table import Table
from mist.output.text import columns, cropped, visible

_NARROWEST = 6  # columns below which a wrapped cell is no longer readable
_FRAME = 3  # columns that a border and its padding add to each cell
_TALLEST = 3  # widths of the terminal that one cell may take before it is cropped


def boxed_table(table: Table, console: Console) -> str:
    """Return `table` drawn for `console`, or field by field where columns would be unreadable."""
    headers = [_fitted(header, console) for header in table.headers]
    rows = [[_fitted(cell, console) for cell in row] for row in table.rows]
    widest = [
        min(_NARROWEST, max(_width(cell) for cell in column))
        for column in zip_longest(headers, *rows, fillvalue=Text())
    ]
    with console.capture() as drawn:
        if sum(widest) + _FRAME * len(widest) + 1 > console.width:
            _print_records(headers, rows, console)
        else:
            _print_grid(headers, rows, table.numeric, console)
    return drawn.get()


def _print_grid(
    headers: list[Text], rows: list[list[Text]], numeric: frozenset[int], console: Console
) -> None:
    count = max(map(len, (headers, *rows)))
    grid = RichTable(
        *(
            Column(
                header=headers[at] if at < len(headers) else "",
                justify="right" if at in numeric else "left",
                overflow="fold",
            )
            for at in range(count)
        ),
        box=box.ROUNDED,
        header_style="bold",
        border_style="bright_black",
    )
    for row in rows:
        grid.add_row(*row)
    console.print(grid)


def _print_records(headers: list[Text], rows: list[list[Text]], console: Console) -> None:
    for at, row in enumerate(rows, start=1):
        console.print(Text(f"row {at}", "bright_black"))
        record = RichTable.grid(
            Column(style="bold", overflow="fold"), Column(overflow="fold"), padding=(0, 2)
        )
        for header, cell in zip_longest(headers, row, fillvalue=Text()):
            record.add_row(header, cell)
        console.print(record)


def _fitted(cell: str, console: Console) -> Text:
    """Return `cell` with its line ends kept, its controls made visible and its length bounded."""
    lines = [visible(line, console.encoding) for line in cell.splitlines()]
    return Text(cropped("\n".join(lines), _TALLEST * console.width, console.encoding))


def _width(cell: Text) -> int:
    return max((columns(line) for line in cell.plain.split("\n")), default=0)
