"""Collects which cells of the interop matrix have tests, and holds the README's table against them.

A cell is ticked by the tests that name it, and a tick that they do not earn fails the run: they
fail. So the table follows from the tests that there are, whichever process runs which of them. With
MIST_INTEROP=write in the environment the table is written instead of compared. Cells whose tests
are not part of this run are taken from the README as they stand.
"""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_cells: set[tuple[str, str]] = set()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", "interop(row, client): the cell of the interop matrix that this test fills"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note which cells have tests."""
    for item in items:
        for marker in item.iter_markers("interop"):
            _cells.add((marker.args[0], marker.kwargs["client"]))


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
def golden_lines(golden, tmp_path):
    """Every golden message, without its checksum and with it, also as golden.jsonl."""
    records = [json.loads(line) for line in (golden / "wire.jsonl").read_bytes().splitlines()]
    lines = [record[form] for record in records for form in ("wire", "wire_with_checksum")]
    whole = "".join(line + "\n" for line in lines).encode()
    (tmp_path / "golden.jsonl").write_bytes(whole)
    return whole


@pytest.fixture
def tested() -> dict[tuple[str, str], str]:
    """A tick for each cell that has tests."""
    return dict.fromkeys(_cells, "✓")
