"""A hook of MkDocs that makes the repository's own files the pages of the site.

Every file keeps its path, so that a link between two of them is right here and there alike. Only
the API reference is made: a page for each public module, which mkdocstrings fills from docstrings.
"""

import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from tools.workspace import ROOT, Distribution, Workspace

GUIDES = {
    "FastAPI": "docs/fastapi.md",
    "OpenTelemetry": "docs/opentelemetry.md",
    "From mist-go": "docs/from-mist-go.md",
}
PROJECT = {
    "Architecture": "ARCHITECTURE.md",
    "Reliability": "RELIABILITY.md",
    "Security": "SECURITY.md",
    "Contributing": "CONTRIBUTING.md",
    "Releasing": "RELEASING.md",
}
# Programs that pages point to, each of which becomes a listing.
_LISTED = (
    "examples/*.py",
    "packages/mist/src/mist/command/demo/*.py",
    "tests-integration/hostile/storing_receiver.py",
)
SUBPACKAGES = {
    "mist-trace": ["mist.trace.otel"],
    "mist-transport": ["mist.transport.sync", "mist.transport.testing"],
}
WORKSPACE = Workspace.load()
_BESIDE = InclusionLevel.NOT_IN_NAV
_PROGRAM = re.compile(r"(\]\((?!\w+:)[\w./-]+\.py)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Order the pages."""
    config.nav = [
        {"mist": "README.md"},
        {"Guides": [{title: path} for title, path in GUIDES.items()]},
        {"Packages": [{each.name: _readme(each)} for each in WORKSPACE]},
        {"API": [{module: _api(module)} for each in WORKSPACE for module in _modules(each)]},
        {"Project": [{title: path} for title, path in PROJECT.items()]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the repository's files, and a page for each public module."""
    pages = ["README.md", *GUIDES.values(), *PROJECT.values(), *map(_readme, WORKSPACE)]
    pictures = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.[ps][nv]g")]
    for uri in (*pages, *pictures):
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / uri)))
    for uri in map(_changelog, WORKSPACE):
        file = File.generated(config, uri, abs_src_path=str(ROOT / uri), inclusion=_BESIDE)
        files.append(file)
    for module in (module for each in WORKSPACE for module in _modules(each)):
        files.append(File.generated(config, _api(module), content=f"# {module}\n\n::: {module}\n"))
    for program in (path for pattern in _LISTED for path in ROOT.glob(pattern)):
        uri = program.relative_to(ROOT).as_posix()
        listing = f"# {uri}\n\n```python\n{program.read_text(encoding='utf-8')}```\n"
        files.append(File.generated(config, f"{uri}.md", content=listing, inclusion=_BESIDE))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Link programs to their listings, and a package's page to its reference and changelog."""
    del config, files
    markdown = _PROGRAM.sub(r"\1.md)", markdown)
    if page.is_homepage:
        page.meta["hide"] = ["navigation"]  # there is nothing beside it in its section
    for each in WORKSPACE:
        if page.file.src_uri == _readme(each):
            modules = [f"[`{module}`](../../{_api(module)})" for module in _modules(each)]
            ways = " · ".join([*modules, "[changes](CHANGELOG.md)"])
            title, rest = markdown.split("\n", 1)
            return f"{title}\n\nAPI: {ways}\n{rest}"
    return markdown


def _readme(distribution: Distribution) -> str:
    return (distribution.directory.relative_to(ROOT) / "README.md").as_posix()


def _changelog(distribution: Distribution) -> str:
    return (distribution.directory.relative_to(ROOT) / "CHANGELOG.md").as_posix()


def _api(module: str) -> str:
    return f"api/{module}.md"


def _modules(distribution: Distribution) -> list[str]:
    """List the modules that a user imports, the package itself first."""
    if not distribution.has_code:
        return []
    return [distribution.module, *SUBPACKAGES.get(distribution.name, ())]
