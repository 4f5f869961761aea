"""Small monorepos on disk, sound until a test breaks them in one place."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.graph.architecture import Architecture
from tools.graph.check import check
from tools.graph.failure import Failure
from tools.graph.providers import Providers
from tools.workspace import Workspace

PROVIDERS = Providers(
    by_distribution={
        "fastjson": frozenset({"fastjson"}),
        "oddly-named": frozenset({"odd"}),
        "pytest": frozenset({"pytest", "_pytest"}),
    },
    plugins=frozenset({"pytest-asyncio"}),
)

TABLE = """\
[workspace]
requires-python = ">=3.11"

[distributions.mist]
siblings = ["*"]
third-party = []
bundles = ["all"]

[distributions.mist-base]
siblings = []
third-party = ["fastjson"]

[distributions.mist-top]
siblings = ["mist-base"]
third-party = ["httpd"]
chosen = true
"""

PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.3"
requires-python = ">=3.11"
dependencies = [
{dependencies}]
{more}"""


class Monorepo:
    """A workspace of three distributions: mist-top needs mist-base, mist bundles both."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.table = root / "architecture.toml"
        self.table.write_text(TABLE)
        self.distribution("mist-base", ["fastjson>=1"])
        self.write("mist-base/src/mist/base/__init__.py", "import fastjson\n")
        self.distribution("mist-top", ["mist-base>=0.1,<0.2"])
        self.write("mist-top/src/mist/top/__init__.py", "from mist.base import x\n")
        bundle = 'all = ["mist-base>=0.1,<0.2", "mist-top>=0.1,<0.2"]'
        self.distribution("mist", [], f"[project.optional-dependencies]\n{bundle}\n")
        self.write("mist/src/mist/command/__init__.py", "")

    def write(self, path: str, text: str) -> None:
        """Write a file below packages/."""
        file = self.root / "packages" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def distribution(self, name: str, dependencies: list[str], more: str = "") -> None:
        """Write a pyproject.toml whose dependencies start on line 6."""
        listed = "".join(f'    "{each}",\n' for each in dependencies)
        self.write(
            f"{name}/pyproject.toml", PYPROJECT.format(name=name, dependencies=listed, more=more)
        )

    def failures(self) -> list[Failure]:
        """Run every check."""
        architecture = Architecture.load(self.table, self.root)
        return check(Workspace.load(self.root), architecture, PROVIDERS)[1]

    def failure(self) -> tuple[str, str, str]:
        """Run every check, expect one failure, and give its place, text and remedy."""
        (only,) = self.failures()
        return str(only.place), only.wrong, only.remedy

    def modules(self) -> Mapping[str, str]:
        """Map each distribution to its module."""
        return {each.name: each.module for each in Workspace.load(self.root)}


@pytest.fixture
def monorepo(tmp_path):
    """A sound monorepo to break."""
    return Monorepo(tmp_path)
