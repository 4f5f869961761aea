"""A release on disk: `dist/` to publish, and `papers/` that tell what it is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.release.build import Files

DIST, PAPERS = "dist", "papers"


def write(target: Path, files: Files, bill: str, notes: str) -> Iterator[Path]:
    """Lay a release out below `target`, whose `dist` and `papers` are replaced."""
    for name in (DIST, PAPERS):
        shutil.rmtree(target / name, ignore_errors=True)
        (target / name).mkdir(parents=True)
    for path in (files.sdist, files.wheel):
        shutil.copyfile(path, target / DIST / path.name)
        yield target / DIST / path.name
    sums = "".join(f"{digest}  {name}\n" for name, digest in files.sums().items())
    papers = {
        f"{files.wheel.stem}.cdx.json": bill,
        "notes.md": f"{notes}\n",
        "SHA256SUMS": sums,
    }
    for name, text in papers.items():
        path = target / PAPERS / name
        path.write_text(text, encoding="utf-8", newline="\n")
        yield path
