"""A package's CHANGELOG.md: one section for each version, the newest first."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from tools.release.refusal import Refusal
from tools.workspace import Place

_HEADING = re.compile(r"## +\[?(?P<version>[^\s\]]+)\]?(?: +\((?P<note>[^)]*)\))?\s*$")
_OPEN = "unreleased"


@dataclass(frozen=True, slots=True)
class Section:
    """What is written under one heading: `## 0.2.0 (2026-11-28)` or `## 0.2.0 (unreleased)`."""

    version: str
    note: str
    line: int
    body: str

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its release."""
        return _OPEN in {self.version.lower(), self.note.lower()}

    @property
    def is_dated(self) -> bool:
        """Whether the heading says on which day it was released."""
        try:
            return str(dt.date.fromisoformat(self.note)) == self.note
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Changelog:
    """The sections of one file, and the file's place for messages."""

    path: Path
    place: Path
    sections: tuple[Section, ...]

    @classmethod
    def read(cls, path: Path, root: Path) -> "Changelog":
        """Read a file; one that is missing has no sections."""
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        headings = [(n, m) for n, line in enumerate(lines) if (m := _HEADING.match(line))]
        ends = [*(number for number, _ in headings[1:]), len(lines)]
        return cls(
            path,
            path.relative_to(root),
            tuple(
                Section(m["version"], m["note"] or "", n + 1, "\n".join(lines[n + 1 : end]).strip())
                # Without headings, one end is left.
                for (n, m), end in zip(headings, ends, strict=False)
            ),
        )

    def notes(self, version: Version) -> str:
        """Cut out what is written for a version."""
        return next(each.body for each in self.sections if each.version == str(version))

    def check(self, package: str, version: Version) -> Iterator[Refusal]:
        """Yield what keeps the file from being the changelog of a release."""
        prepare = f"hatch run release prepare {package} {version}"
        found = next((each for each in self.sections if each.version == str(version)), None)
        if found is None:
            yield Refusal(
                f"no section for {package} {version}",
                f"write what changed under `## {version} (unreleased)`, then: {prepare}",
                Place(self.place),
            )
            return
        place = Place(self.place, found.line)
        if found.is_open:
            yield Refusal(f"the section of {version} still says {_OPEN}", prepare, place)
        elif not found.is_dated:
            heading = f"## {version} ({dt.date.today()})"
            yield Refusal("the heading has no date", f"write `{heading}`", place)
        if not found.body:
            yield Refusal(f"nothing is written about {version}", "write what changed", place)
        if found is not self.sections[0]:
            above = self.sections[0]
            yield Refusal(
                f"{above.version} stands above the section of {version}",
                f"release that version instead, or move the section of {version} up",
                Place(self.place, above.line),
            )

    def closed(self, section: Section, version: Version, day: dt.date) -> str:
        """Spell the file with a section headed as the release of a version on a day."""
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[section.line - 1] = f"## {version} ({day})\n"
        return "".join(lines)
