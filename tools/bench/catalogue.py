"""Find every row: each file in `rows/` that holds `ROWS`."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from tools.bench.row import Row, Rows

ROWS = Path(__file__).with_name("rows")


class CatalogueError(Exception):
    """A file of rows, or a name of a row, is not what it should be."""


def catalogue(directory: Path = ROWS) -> list[Row]:
    """Load the rows of every file in a directory, in the order of their names.

    Raises:
        CatalogueError: A file has no `ROWS`, or two rows share a title.
    """
    found: dict[str, Row] = {}
    for path in sorted(directory.glob("[!_]*.py")):
        spec = importlib.util.spec_from_file_location(f"tools.bench.rows.{path.stem}", path)
        if spec is None or spec.loader is None:
            raise CatalogueError(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        rows = getattr(module, "ROWS", None)
        if not isinstance(rows, Rows):
            raise CatalogueError(f'{path} has no `ROWS = Rows("{path.stem}")`')
        for row in rows.rows:
            if row.title in found:
                raise CatalogueError(f"{path}: there are two rows called {row.title!r}")
            found[row.title] = row
    return list(found.values())


def select(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Keep the rows whose group is named, or whose title holds one of the names.

    Raises:
        CatalogueError: A name selects nothing.
    """
    for name in names:
        if not any(_selects(name, row) for row in rows):
            groups = ", ".join(sorted({row.group for row in rows}))
            raise CatalogueError(f"no row is called {name!r}; there are the groups {groups}")
    return [row for row in rows if not names or any(_selects(name, row) for name in names)]


def _selects(name: str, row: Row) -> bool:
    return name.lower() == row.group.lower() or name.lower() in row.title.lower()
