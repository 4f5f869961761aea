"""A small monorepo that really builds: mist-base, mist-top on it, and mist-plan, metadata only."""

from pathlib import Path

import pytest

from tools.isolate.__main__ import main
from tools.workspace import Workspace

PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
license = "MIT"
license-files = ["LICENSE"]
readme = "README.md"
requires-python = ">=3.11"
dependencies = [{dependencies}]

[dependency-groups]
test = ["pytest>=8.3"]

[tool.hatch.build.targets.wheel]
{target}
"""


class Monorepo:
    """The workspace on disk, and the command run on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        settings = "[tool.pytest.ini_options]\naddopts = ['-q']\nfilterwarnings = ['error']\n"
        (root / "pyproject.toml").write_text(settings)
        self.distribution("mist-base")
        self.distribution("mist-top", '"mist-base>=0.1,<0.2"')
        self.distribution("mist-plan", code=False)

    def distribution(self, name: str, dependencies: str = "", *, code: bool = True) -> None:
        """Write a distribution, with a package, a passing and a skipped test if it has code."""
        target = 'packages = ["src/mist"]' if code else "bypass-selection = true"
        text = PYPROJECT.format(name=name, dependencies=dependencies, target=target)
        self.write(f"{name}/pyproject.toml", text)
        self.write(f"{name}/README.md", f"# {name}\n")
        self.write(f"{name}/LICENSE", "MIT\n")
        if code:
            module = name.removeprefix("mist-")
            self.write(f"{name}/src/mist/{module}/__init__.py", "")
            self.write(f"{name}/src/mist/{module}/py.typed", "")
            self.write(
                f"{name}/tests/test_{module}.py",
                f"import mist.{module}\nimport pytest\n\n"
                "def test_ok():\n    pass\n\n"
                "@pytest.mark.skip(reason='to be counted')\ndef test_skipped():\n    pass\n",
            )

    def write(self, path: str, text: str) -> None:
        """Write a file below packages/."""
        file = self.root / "packages" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def workspace(self) -> Workspace:
        """Read it as the tools do."""
        return Workspace.load(self.root)

    def isolate(self, *argv: str) -> int:
        """Run the command."""
        return main(["--root", str(self.root), *argv])


@pytest.fixture
def monorepo(tmp_path):
    """A sound monorepo to break."""
    return Monorepo(tmp_path)
