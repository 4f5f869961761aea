"""`python -m tools.site.check site`: a built site is whole, and asks nothing of anybody else.

Exit status 1, and a line for each link that leads nowhere, each thing that a browser would load
from another host, and each public name that the reference lacks.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.workspace import Workspace

_LOADING = {"src", "srcset", "poster", "data", "action"}
_LOADING_RELATIONS = {"dns-prefetch", "icon", "manifest", "modulepreload", "preconnect", "preload"}
_IN_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")


@dataclass
class HtmlPage(HTMLParser):
    """What one page links to, what it loads, and the anchors that it has."""

    path: Path
    anchors: set[str] = field(default_factory=set[str])
    links: list[str] = field(default_factory=list[str])
    loads: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        self.loads.extend(value for name, value in values.items() if name in _LOADING)
        self.loads.extend(_IN_CSS.findall(values.get("style", "")))
        if "mermaid" in values.get("class", "").split():
            self.loads.append("https://unpkg.com/mermaid (the theme draws such a block with it)")
        if "href" in values:
            relations = set(values.get("rel", "").split())
            loading = tag == "link" and relations & {"stylesheet", *_LOADING_RELATIONS}
            (self.loads if loading else self.links).append(values["href"])


@dataclass
class Site:
    """A directory of built pages."""

    root: Path

    @cached_property
    def pages(self) -> dict[Path, HtmlPage]:
        """Every page by its file."""
        return {path: HtmlPage(path) for path in sorted(self.root.rglob("*.html"))}

    def problems(self) -> Iterator[str]:
        """Yield a line for each fault."""
        for page in self.pages.values():
            shown = page.path.relative_to(self.root).as_posix()
            for load in page.loads:
                if _outside(load) and not load.startswith("data:"):
                    yield f"{shown}: loads {load}"
            for link in dict.fromkeys([*page.links, *page.loads]):
                if not _outside(link) and (wrong := self._wrong(page, link)):
                    yield f"{shown}: {link}: {wrong}"
        for style in sorted(self.root.rglob("*.css")):
            for load in _IN_CSS.findall(style.read_text(encoding="utf-8")):
                yield f"{style.relative_to(self.root).as_posix()}: loads {load}"

    def unmentioned(self, module: str, names: Sequence[str]) -> Iterator[str]:
        """Yield a line for each of a module's names that its page in the reference lacks."""
        page = self.pages.get(self.root / "api" / module / "index.html")
        for name in names:
            if page is None or f"{module}.{name}" not in page.anchors:
                yield f"api/{module}/: {name} is public and not there"

    def _wrong(self, page: HtmlPage, link: str) -> str:
        parts = urlsplit(link)
        # The page for what is not found is shown at any path, so its links begin at the root.
        start = self.root if parts.path.startswith("/") else page.path.parent
        target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else page.path
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            return "there is no such file"
        anchor = unquote(parts.fragment)
        if anchor and target in self.pages and anchor not in self.pages[target].anchors:
            return "there is no such anchor"
        return ""


def _outside(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


def public(source: Path) -> list[str]:
    """Read `__all__` of a package's `__init__.py`, as every package here writes it out."""
    for node in ast.parse(source.read_bytes()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def main(argv: Sequence[str] | None = None) -> int:
    """Check the directory that is named on the command line."""
    (directory,) = sys.argv[1:] if argv is None else argv
    site = Site(Path(directory).resolve())
    problems = list(site.problems())
    for each in Workspace.load().with_code():
        problems.extend(site.unmentioned(each.module, public(each.source / "__init__.py")))
    print(*problems, f"{len(site.pages)} pages, {len(problems)} faults", sep="\n")
    return 1 if problems or not site.pages else 0


if __name__ == "__main__":
    sys.exit(main())
