"""A release on disk: `dist/` to publish, and `papers/` that tell what it is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.release.build import Files
from tools.release.refusal import Refusal, Refused

DIST, PAPERS = "dist", "papers"
_SUMS = "SHA256SUMS"


def write(target: Path, files: Files, bill: str, notes: str) -> Iterator[Path]:
    """Lay a release out below `target`, in place of one that was laid out there before.

    Raises:
        Refused: `target` holds a `dist` or `papers` that is something else.
    """
    there = any((target / name).exists() for name in (DIST, PAPERS))
    if there and not (target / PAPERS / _SUMS).is_file():
        wrong = f"{target} holds a {DIST} or {PAPERS} that is no release"
        raise Refused(Refusal(wrong, "name another folder: --out DIR"))
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
        _SUMS: sums,
    }
    for name, text in papers.items():
        path = target / PAPERS / name
        path.write_text(text, encoding="utf-8", newline="\n")
        yield path
