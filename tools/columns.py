"""A table for a terminal: names to the left, numbers to the right."""

from collections.abc import Collection, Sequence


def columns(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int]
) -> str:
    """Draw rows below their headers; `right` names the columns that are set to the right."""
    cells = [headers, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        set_ = [
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(set_).rstrip()

    ruler = "  ".join("-" * width for width in widths)
    return "\n".join([line(headers), ruler, *map(line, rows)])
