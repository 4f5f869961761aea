"""The interop matrix: what each generated client was seen to do with the real thing.

A test that fills a cell says so with `@pytest.mark.interop("row", client="...")`, and passes or
fails like any other; see conftest.py for how the cells become the table in the README of
mist-bindings.
"""

from collections.abc import Mapping
from typing import Final

CLIENTS: Final = {
    "python": "Python, bare `python -I`",
    "node": "TypeScript, Node",
    "browser": "TypeScript, browser",
}
"""The columns."""

ROWS: Final = {
    "http-file": "client → mist HTTP listener → file → client: all golden messages, checksums intact",
    "hard-text": "U+2028, `<>&`, emoji, NUL through the same, byte for byte",
    "int64": "integers at the int64 limits through the same, exact",
    "batches": "batches to a listener that takes them; each send has its own message's fate",
    "no-batches": "single messages to a listener that takes no batches",
    "stdio": "client \\| `mist relay` → file → client",
    "stdin": "file → `mist relay` \\| client",
    "receive": "mist sender → client that listens over HTTP",
    "other-client": "client → the other client's listener: all golden messages, checksums intact",
    "unknown-type": "a message of an unknown type passes untyped and intact",
    "wrong-payload": "a wrong payload is an error that names its path",
    "version": "a message of an unsupported version is refused, and a peer's range; ours is named with it",
    "busy": "503 with Retry-After: sent again, and taken",
    "html": "a server that answers with a page is an error, not a success",
    "dead": "a peer that is gone, or dies in between, ends pending calls with an error",
    "silent": "a peer that never answers ends in a timeout",
    "cors": "a page of another origin posts to a listener that allows it",
}
"""The rows."""

BEGIN: Final = "<!-- interop: made by tests-integration/bindings; do not edit -->"
END: Final = "<!-- /interop -->"
NOT_APPLICABLE: Final = "-"

Cell = tuple[str, str]
"""A row and a client."""


def make_table(cells: Mapping[Cell, str]) -> str:
    """Return the matrix as a Markdown table; a cell that nobody fills is a dash."""
    lines = [
        f"| | {' | '.join(CLIENTS.values())} |",
        "|---" * (len(CLIENTS) + 1) + "|",
    ]
    for row, text in ROWS.items():
        marks = [cells.get((row, client), NOT_APPLICABLE) for client in CLIENTS]
        lines.append(f"| {text} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def read_table(readme: str) -> dict[Cell, str]:
    """Return the cells that a README shows between the two markers."""
    table = readme.partition(BEGIN)[2].partition(END)[0]
    cells: dict[Cell, str] = {}
    for row, text in ROWS.items():
        for line in table.splitlines():
            if line.startswith(f"| {text} | "):
                marks = line.removeprefix(f"| {text} | ").removesuffix(" |").split(" | ")
                cells |= {(row, client): mark for client, mark in zip(CLIENTS, marks, strict=True)}
    return cells


def replace_table(readme: str, table: str) -> str:
    """Return the README with this table between the two markers."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the README has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{table}{END}{after}"
