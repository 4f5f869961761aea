"""Collects what the interop tests saw, and holds the README's table against it.

The last test of this directory compares; with MIST_INTEROP=write in the environment it writes
the table instead. Cells whose tests did not run this time (deselected, or skipped for want of
node or a browser) are taken from the README as they stand.
"""

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_LAST = "test_interop_table.py"
_seen: dict[tuple[str, str], set[str]] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", "interop(row, client): the cell of the interop matrix that this test fills"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the comparison after all that it compares."""
    items.sort(key=lambda item: item.path == _HERE / _LAST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note what became of a test that fills a cell."""
    report = yield
    if report.when == "call" or report.failed:
        for marker in item.iter_markers("interop"):
            cell = (marker.args[0], marker.kwargs["client"])
            _seen.setdefault(cell, set()).add(report.outcome)
    return report


def _module(name):
    spec = spec_from_file_location(name, _HERE / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def interop():
    """The module that knows the matrix's rows and columns."""
    return _module("interop")


@pytest.fixture(scope="session")
def peers():
    """The module of what the clients meet."""
    return _module("peers")


@pytest.fixture
def seen() -> dict[tuple[str, str], str]:
    """The mark of each cell whose tests ran: a tick only if all of them passed."""
    marks = {
        cell: "✓" if outcomes <= {"passed", "skipped"} else "✗" for cell, outcomes in _seen.items()
    }
    return {cell: mark for cell, mark in marks.items() if _seen[cell] != {"skipped"}}
