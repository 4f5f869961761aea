"""The workspace as its own commands see it: every distribution under `packages/`.

Only the standard library is used here, so that a job without any environment can list packages.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.document import Document

ROOT = Path(__file__).resolve().parents[1]


class WorkspaceError(Exception):
    """The workspace cannot be read; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, for people and editors: `path:line`."""

    path: Path
    line: int = 1

    def __str__(self) -> str:
        return f"{self.path.as_posix()}:{self.line}"


@dataclass(frozen=True, slots=True)
class Declared:
    """One string of a `pyproject.toml`, and where it stands."""

    text: str
    place: Place

    @property
    def name(self) -> str:
        """The distribution a requirement names, normalized."""
        matched = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.text)
        return normalize(matched[0]) if matched else ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What one `packages/*/pyproject.toml` says, and the code beside it."""

    name: str
    version: str
    directory: Path
    pyproject: Path
    requires_python: Declared
    dependencies: tuple[Declared, ...]
    extras: Mapping[str, tuple[Declared, ...]]
    test_tools: tuple[Declared, ...]
    entry_points: tuple[Declared, ...]
    loaded_by_name: Mapping[str, Declared]

    @property
    def module(self) -> str:
        """The one package under `mist` that this distribution may ship."""
        return "mist.command" if self.name == "mist" else f"mist.{module_suffix(self.name)}"

    @property
    def source(self) -> Path:
        """The directory of that package, whether it exists yet or not."""
        return self.directory / "src" / Path(*self.module.split("."))

    @property
    def tests(self) -> Path:
        """The directory of the distribution's own tests."""
        return self.directory / "tests"

    @property
    def has_code(self) -> bool:
        """Whether there is a package to import, or only metadata so far."""
        return self.source.is_dir()


@dataclass(frozen=True, slots=True)
class Workspace:
    """Every distribution by its name, and the root they were read from."""

    root: Path
    distributions: Mapping[str, Distribution]

    def __iter__(self) -> Iterator[Distribution]:
        return iter(self.distributions.values())

    def with_code(self) -> list[Distribution]:
        """List the distributions that ship a package."""
        return [distribution for distribution in self if distribution.has_code]

    def select(self, names: Iterable[str]) -> list[Distribution]:
        """List the distributions of these names.

        Raises:
            WorkspaceError: There is none of that name.
        """
        wanted = [normalize(each) for each in names]
        for name in wanted:
            if name not in self.distributions:
                known = ", ".join(self.distributions)
                raise WorkspaceError(f"no distribution {name!r} here; there are {known}")
        return [self.distributions[name] for name in wanted]

    def siblings(self, declared: tuple[Declared, ...]) -> list[Declared]:
        """Keep of some requirements those on distributions of this workspace."""
        return [each for each in declared if each.name in self.distributions]

    @classmethod
    def load(cls, root: Path = ROOT) -> "Workspace":
        """Read `packages/*/pyproject.toml` below `root`.

        Raises:
            WorkspaceError: A file is missing, is not TOML, or lacks a static name or version.
        """
        files = sorted(root.glob("packages/*/pyproject.toml"))
        if not files:
            raise WorkspaceError(f"{root}: no packages/*/pyproject.toml; run from the repository")
        found = [_read(path, root) for path in files]
        return cls(root, {each.name: each for each in found})


def normalize(name: str) -> str:
    """Spell a distribution's name the one way that compares (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def module_suffix(name: str) -> str:
    """Spell the module name that belongs to a sibling's distribution name."""
    return name.removeprefix("mist-").replace("-", "_")


def _read(path: Path, root: Path) -> Distribution:
    relative = path.relative_to(root)
    try:
        document = Document(path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise WorkspaceError(f"{relative.as_posix()}: not TOML: {exc}") from exc
    project: dict[str, Any] = document.data.get("project", {})
    for key in ("name", "version"):
        if not isinstance(project.get(key), str):
            raise WorkspaceError(
                f"{Place(relative, document.line('project'))}: [project].{key} is missing; "
                "write it out, it is static here"
            )

    def declared(table: str, key: str, texts: list[str]) -> tuple[Declared, ...]:
        return tuple(
            Declared(text, Place(relative, document.line(table, key, text))) for text in texts
        )

    def keyed(table: str, entries: Mapping[str, Any]) -> dict[str, Declared]:
        return {
            key: Declared(str(text), Place(relative, document.line(table, key)))
            for key, text in entries.items()
        }

    groups = {f"project.entry-points.{n}": g for n, g in project.get("entry-points", {}).items()}
    groups["project.scripts"] = project.get("scripts", {})
    groups["project.gui-scripts"] = project.get("gui-scripts", {})
    return Distribution(
        name=normalize(project["name"]),
        version=project["version"],
        directory=path.parent,
        pyproject=relative,
        requires_python=Declared(
            project.get("requires-python", ""),
            Place(relative, document.line("project", "requires-python")),
        ),
        dependencies=declared("project", "dependencies", project.get("dependencies", [])),
        extras={
            extra: declared("project.optional-dependencies", extra, texts)
            for extra, texts in project.get("optional-dependencies", {}).items()
        },
        test_tools=declared(
            "dependency-groups", "test", document.data.get("dependency-groups", {}).get("test", [])
        ),
        entry_points=tuple(
            entry for table, group in groups.items() for entry in keyed(table, group).values()
        ),
        loaded_by_name=keyed(
            "tool.mist.loaded-by-name",
            document.data.get("tool", {}).get("mist", {}).get("loaded-by-name", {}),
        ),
    )
