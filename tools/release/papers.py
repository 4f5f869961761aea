"""A release on disk: `dist/` to publish, and `papers/` that tell what it is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.release.build import Files
from tools.release.refusal import Refusal, Refused

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


def read(target: Path) -> Files:
    """Find the files of a release that was laid out below `target`.

    Raises:
        Refused: There are not exactly one wheel and one sdist.
    """
    wheels, sdists = (sorted((target / DIST).glob(each)) for each in ("*.whl", "*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        raise Refused(
            Refusal(
                f"{target / DIST} does not hold exactly one wheel and one sdist",
                f"hatch run release build TAG --out {target}",
            )
        )
    return Files(wheels[0], sdists[0])
