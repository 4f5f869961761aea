"""Every package's page tells the same things in the same order."""

import pytest

from tools.site.markdown import Markdown
from tools.workspace import Workspace

WITH_CODE = Workspace.load().with_code()
SECTIONS = ["Install", "Example", "Guarantees", "Limits", "Compared"]


@pytest.mark.parametrize("distribution", WITH_CODE, ids=lambda each: each.name)
def test_a_readme_says_what_a_newcomer_asks(distribution):
    """What it is, how to install it, an example, what holds, what does not, and what else there is."""
    headings = Markdown(distribution.directory / "README.md").headings
    found = [
        next((section for section in SECTIONS if heading.startswith(section)), None)
        for heading in headings
    ]
    assert headings[0] == distribution.name
    assert [section for section in found if section] == SECTIONS


@pytest.mark.parametrize("distribution", WITH_CODE, ids=lambda each: each.name)
def test_the_install_command_names_every_sibling(distribution):
    """From a checkout pip finds no sibling by itself, so the command names all that are needed."""
    text = Markdown(distribution.directory / "README.md").text
    named = text.partition("## Install")[2].partition("\n## ")[0]
    workspace = Workspace.load()
    needed = {distribution.name}
    while (
        more := {
            each.name
            for name in needed
            for each in workspace.siblings(workspace.distributions[name].dependencies)
        }
        - needed
    ):
        needed |= more
    assert {name for name in needed if f"./packages/{name}" not in named} == set()
