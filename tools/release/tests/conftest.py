"""A small monorepo in a real git repository: mist-base, and mist-top, which needs it."""

import datetime as dt
import os
import subprocess
from pathlib import Path

import pytest

from tools.isolate.tests.conftest import PYPROJECT
from tools.release.__main__ import main
from tools.release.repository import Repository
from tools.workspace import Workspace

# As in the true packages: defined in a file of its own, shown as if it were defined in the package.
BASE = """\
from mist.base.lines import Line, join

__all__ = ["Line", "join"]
for _public in (Line, join):
    _public.__module__ = __name__
"""

LINES = '''\
import msgspec


class Line(msgspec.Struct):
    """A line."""

    text: str
    number: int = 0


def join(lines: list[Line], end: str = ", ") -> str:
    """Join lines."""
    return end.join(line.text for line in lines)
'''

DAY = dt.date(2026, 1, 31)
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {
        "NAME": "A",
        "EMAIL": "a@example.invalid",
        "DATE": f"{DAY} 12:00 +0000",
    }.items()
}


class Monorepo:
    """The repository on disk, and the command run on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("pyproject.toml", "[tool.pytest.ini_options]\naddopts = ['-q']\n")
        self.write(".gitignore", "dist/\n")
        self.distribution("mist-base", '"msgspec>=0.20"')
        self.write("packages/mist-base/src/mist/base/__init__.py", BASE)
        self.write("packages/mist-base/src/mist/base/lines.py", LINES)
        self.distribution("mist-top", '"mist-base>=0.1,<0.2"')
        self.write("packages/mist-top/src/mist/top/__init__.py", "from mist.base import join\n")
        self.commit("Begin")

    def distribution(self, name: str, dependencies: str) -> None:
        """Write a distribution whose first release is ready but for its date."""
        module, here = name.removeprefix("mist-"), f"packages/{name}"
        target = 'packages = ["src/mist"]'
        text = PYPROJECT.format(name=name, dependencies=dependencies, target=target)
        self.write(f"{here}/pyproject.toml", text)
        self.write(f"{here}/README.md", f"# {name}\n")
        self.write(f"{here}/LICENSE", "MIT\n")
        self.write(f"{here}/CHANGELOG.md", f"# Changelog\n\n## 0.1.0 (unreleased)\n\n- {name}.\n")
        self.write(f"{here}/src/mist/{module}/py.typed", "")
        self.write(
            f"{here}/tests/test_{module}.py",
            f"import mist.{module}\n\ndef test_ok():\n    assert mist.{module}.join([]) == ''\n",
        )

    def git(self, *argv: str) -> str:
        """Run git, at one time and by one author."""
        return subprocess.run(
            ["git", "-C", self.root, "-c", "commit.gpgSign=false", *argv],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **_IDENTITY},
        ).stdout

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, path: str) -> str:
        """Read a file."""
        return (self.root / path).read_text()

    def change(self, path: str, old: str, new: str) -> None:
        """Change a file in one place."""
        text = self.read(path)
        assert old in text
        self.write(path, text.replace(old, new))

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def release(self, *argv: str) -> int:
        """Run the command."""
        return main(["--root", str(self.root), *argv])

    def open(self, name: str, version: str) -> None:
        """Begin the changelog's section of a next version."""
        self.change(
            f"packages/{name}/CHANGELOG.md",
            "# Changelog\n",
            f"# Changelog\n\n## {version} (unreleased)\n\n- More of {name}.\n",
        )

    def released(self, name: str, version: str = "0.1.0") -> None:
        """Prepare, commit and tag a version without building it."""
        if f"## {version} " not in self.read(f"packages/{name}/CHANGELOG.md"):
            self.open(name, version)
        assert self.release("prepare", name, version, "--date", str(DAY)) == 0
        self.commit(f"Prepare {name} {version}")
        self.git("tag", "--annotate", "--message", "-", f"{name}-v{version}")

    @property
    def repository(self) -> Repository:
        """It as the tools see it."""
        return Repository(self.root)

    @property
    def workspace(self) -> Workspace:
        """Its packages."""
        return Workspace.load(self.root)


@pytest.fixture
def monorepo(tmp_path, monkeypatch):
    """A sound monorepo to break."""
    for name, value in _IDENTITY.items():
        monkeypatch.setenv(name, value)  # for the tags that the command makes
    return Monorepo(tmp_path / "monorepo")
