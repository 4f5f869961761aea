"""`python -m tools.site.check site`: a built site is whole, and asks nothing of anybody else.

Exit status 1, and a line for each link that leads nowhere and each thing that a browser would load
from another host.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADING = {"src", "srcset", "poster", "data", "action"}
_LOADING_RELATIONS = {"dns-prefetch", "icon", "manifest", "modulepreload", "preconnect", "preload"}
_IN_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^\"')\s]+")


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
        self.loads.extend(found[0] for found in _IN_CSS.finditer(values.get("style", "")))
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
            for found in _IN_CSS.finditer(style.read_text(encoding="utf-8")):
                yield f"{style.relative_to(self.root).as_posix()}: loads {found[0]}"

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


def main(argv: Sequence[str] | None = None) -> int:
    """Check the directory that is named on the command line."""
    (directory,) = sys.argv[1:] if argv is None else argv
    site = Site(Path(directory).resolve())
    problems = list(site.problems())
    print(*problems, f"{len(site.pages)} pages, {len(problems)} faults", sep="\n")
    return 1 if problems or not site.pages else 0


if __name__ == "__main__":
    sys.exit(main())
