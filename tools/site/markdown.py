"""The documents of the repository, and what stands in them."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tools.workspace import ROOT, Workspace

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<code>.*?)^```[ ]*$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} (.+?)[ #]*$", re.MULTILINE)
_LINK = re.compile(r"\]\(<?([^)\s>]+)")
_ATTRIBUTE = re.compile(r"<(?:img|a|source)\s[^>]*?(?:src|srcset|href)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Markdown:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path below the repository's root."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """What is left without blocks of code."""
        return _FENCE.sub("", self.text)

    @property
    def headings(self) -> list[str]:
        """Its headings, as they are written."""
        return _HEADING.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Where its links and images lead."""
        prose = re.sub(r"`[^`\n]+`", "`", self.prose)
        return [*_LINK.findall(prose), *_ATTRIBUTE.findall(prose)]

    @property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as GitHub and the site make them."""
        found: set[str] = set()
        for heading in self.headings:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
            slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
            times = sum(
                re.fullmatch(rf"{re.escape(slug)}(-\d+)?", each) is not None for each in found
            )
            found.add(f"{slug}-{times}" if times else slug)
        return found

    def blocks(self, info: str) -> list[str]:
        """Return its blocks of code whose opening line, without the backquotes, fits a pattern."""
        fences = _FENCE.finditer(self.text)
        return [found["code"] for found in fences if re.fullmatch(info, found["info"])]


def guides() -> list[Markdown]:
    """List what concerns all packages."""
    return [Markdown(path) for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]


def readmes() -> list[Markdown]:
    """List the packages' own pages."""
    return [Markdown(each.directory / "README.md") for each in Workspace.load()]


def documents() -> list[Markdown]:
    """List every document, changelogs included."""
    changes = [Markdown(each.directory / "CHANGELOG.md") for each in Workspace.load()]
    return [*guides(), *readmes(), *changes]
