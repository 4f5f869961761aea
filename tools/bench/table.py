"""The results as one table."""

from collections.abc import Sequence

from tools.bench.result import Result
from tools.bench.row import Unit
from tools.columns import columns

_NOTE = 60  # columns
_HEADERS = ("what", "ours", "peer", "ratio", "noise", "target", "met", "against")
_NUMBERS = range(1, 6)
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def table(results: Sequence[Result]) -> str:
    """Draw the table: words to the left, figures to the right."""
    return columns(_HEADERS, [_cells(result) for result in results], right=_NUMBERS)


def figure(value: float, unit: Unit) -> str:
    """Write a figure with three digits and the prefix that suits it."""
    steps = _SECONDS if unit is Unit.SECONDS else _COUNTS
    size, prefix = next((step for step in steps if abs(value) >= step[0]), steps[-1])
    suffix = "" if unit is Unit.SECONDS else unit.value
    return f"{value / size:.3g} {prefix}{suffix}" if value / size < 1000 else f"{value:.3g}"


def verdict(result: Result) -> str:
    """Say in one word how a row ended."""
    if not result.rounds:
        return "BROKEN" if result.broken else "not run"
    return "yes" if result.met else "NO"


def _cells(result: Result) -> tuple[str, ...]:
    row = result.row
    if not result.rounds:
        return (
            row.title,
            *("-" * 4),
            str(row.target),
            verdict(result),
            _short(result.note),
        )
    return (
        row.title,
        figure(result.ours, row.unit),
        figure(result.peer, row.unit),
        f"{result.ratio:.2f}x",
        f"{result.noise:.0%}",
        str(row.target),
        verdict(result),
        row.against,
    )


def _short(note: str) -> str:
    """Keep a note within its cell; progress on stderr told it in full."""
    line = note.partition("\n")[0]
    return line if len(line) <= _NOTE else f"{line[: _NOTE - 3]}..."
