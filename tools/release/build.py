"""Build a release from its commit, so that it is the same bytes wherever and whenever it is built.

The working tree has no part in it: git hands out the files of the commit, the commit's own time
stands for every time in the archives, and the build backend is pinned by hash.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from tools.in_parallel import JOBS
from tools.isolate.isolation import Built
from tools.isolate.wheels import build, uv_build
from tools.release.checks import Candidate
from tools.release.refusal import Refusal, Refused
from tools.workspace import Workspace

_CONSTRAINTS = Path(__file__).with_name("build-constraints.txt")
_PINNED = ("--build-constraints", str(_CONSTRAINTS), "--require-hashes")


@dataclass(frozen=True, slots=True)
class Files:
    """The files that people install: the wheel and the sdist."""

    wheel: Path
    sdist: Path

    @classmethod
    def found(cls, directory: Path) -> "Files":
        """Find them in a directory.

        Raises:
            Refused: There are not exactly one wheel and one sdist.
        """
        wheels, sdists = (sorted(directory.glob(each)) for each in ("*.whl", "*.tar.gz"))
        if len(wheels) != 1 or len(sdists) != 1:
            raise Refused(
                Refusal(
                    f"{directory} does not hold exactly one wheel and one sdist",
                    "empty it, and build again: hatch run release build TAG",
                )
            )
        return cls(wheels[0], sdists[0])

    def sums(self) -> dict[str, str]:
        """Give each file's SHA-256 by its name."""
        return {path.name: sha256(path) for path in (self.sdist, self.wheel)}


def sha256(path: Path) -> str:
    """Compute a file's SHA-256, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def build_alone(candidate: Candidate, work: Path) -> Files:
    """Build a candidate's sdist, and the wheel from that.

    Raises:
        BuildError: It does not build.
    """
    path = _path(candidate, candidate.name)
    candidate.repository.export(candidate.commit, [path], work / "source")
    await uv_build(work / "source" / path, work / "out", *_PINNED, env=_environment(candidate))
    return Files.found(work / "out")


async def build_beside(candidate: Candidate, siblings: Mapping[str, Version], work: Path) -> Built:
    """Build a candidate again, and siblings as they were released, ready for isolated tests.

    Raises:
        BuildError: One does not build.
    """
    source = work / "source"
    candidate.repository.export(candidate.commit, ["packages", "pyproject.toml"], source)
    for name, version in siblings.items():
        path = _path(candidate, name)
        shutil.rmtree(source / path)
        candidate.repository.export(candidate.released.revision(name, version), [path], source)
    workspace, env = Workspace.load(source), _environment(candidate)
    names = [candidate.name, *siblings]
    out = work / "out"
    wheels = await build(workspace, names, source, out, JOBS, options=_PINNED, env=env)
    return Built(workspace, wheels, source, work)


def insist_on_the_same(candidate: Candidate, one: Files, other: Files) -> None:
    """Compare two builds.

    Raises:
        Refused: They are not the same to the byte; the message names the files that differ.
    """
    differing = sorted({name for name, _ in one.sums().items() ^ other.sums().items()})
    if differing:
        raise Refused(
            Refusal(
                f"building {candidate.tag} again gave different files: {', '.join(differing)}",
                "look for a time, a path or an order that gets into them, as diffoscope shows it",
            )
        )


def _path(candidate: Candidate, name: str) -> str:
    root = candidate.repository.root
    return candidate.workspace.distributions[name].directory.relative_to(root).as_posix()


def _environment(candidate: Candidate) -> dict[str, str]:
    return {"SOURCE_DATE_EPOCH": str(candidate.repository.epoch(candidate.commit))}
