"""Nothing that performance is asked of goes without a row."""

import os
import tomllib
from pathlib import Path

import pytest

from tools.bench.catalogue import catalogue
from tools.workspace import ROOT, Workspace

ASKED = tomllib.loads(Path(ROOT, "tools", "bench", "asked.toml").read_text())["asked"]
SHARED = Path(os.environ.get("MIST_GOLDEN") or ROOT.parent / "shared" / "golden").parent
DESIGN = SHARED / "design" / "performance.md"


def rows(asked):
    """Give the titles and targets of the rows for one thing that is asked."""
    modules = [each.module for each in Workspace.load().with_code()]
    packaged = asked.get("each_package", {}).items()
    return asked.get("rows", {}) | {
        title.format(module=module): target for title, target in packaged for module in modules
    }


@pytest.fixture(scope="module")
def targets():
    """The target of every row there is, by title."""
    return {row.title: str(row.target) for row in catalogue()}


@pytest.mark.parametrize("asked", ASKED, ids=[asked["what"] for asked in ASKED])
def test_what_is_asked_has_its_rows(asked, targets):
    """Every row that answers it is there, with the target that was asked."""
    wanted = rows(asked)
    assert wanted
    assert {title: targets.get(title) for title in wanted} == wanted


def test_the_list_is_the_designs():
    """Line by line what the design's table says, so that a line added there is missed here."""
    if not DESIGN.is_file():
        pytest.skip(f"the design's table is absent: {DESIGN.name} beside the golden data")
    cells = [
        [cell.strip() for cell in line.strip("| \n").split("|")]
        for line in DESIGN.read_text().splitlines()
        if line.startswith("| ")
    ]
    asked = [(what, target) for what, _, target in cells[1:]]
    assert [(each["what"], each["target"]) for each in ASKED] == asked
