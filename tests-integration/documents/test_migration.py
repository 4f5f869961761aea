"""Every name that the migration page gives for one of mist-go exists."""

import importlib
import re

import pytest

from tools.site.markdown import Markdown
from tools.workspace import ROOT, Workspace

TEXT = Markdown(ROOT / "docs/from-mist-go.md").text
SECTIONS = re.findall(r"^### [\w/]+: (mist\.[\w.]+)\n(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE)
NAME = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*)`")


def names(table):
    """Yield the names of the last column, as far as they are the module's."""
    for row in table.splitlines():
        if row.startswith("| ") and not row.startswith("| mist-go"):
            yield from NAME.findall(row.rpartition(" | ")[2].partition(";")[0])


@pytest.mark.parametrize(("module", "table"), SECTIONS, ids=[module for module, _ in SECTIONS])
def test_the_names_exist(module, table):
    """Each is found in the module that the heading names, or in a package beside it."""
    found = list(names(table))
    assert found
    unknown = []
    for name in found:
        place = importlib.import_module(module)
        for part in name.split("."):
            place = getattr(place, part, None) or _declared(place, part, f"{module}.{part}")
        if place is None:
            unknown.append(name)
    assert unknown == []


def _declared(owner, name, module):
    """A field that only instances have, or a module that nothing has loaded yet."""
    if any(name in getattr(each, "__annotations__", ()) for each in getattr(owner, "__mro__", ())):
        return name
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def test_every_package_is_there():
    """The page has a section for each package with names to import."""
    modules = {module for module, _ in SECTIONS}
    wanted = {each.module for each in Workspace.load().with_code()}
    assert wanted - modules - {"mist.command", "mist.bindings"} == set()
