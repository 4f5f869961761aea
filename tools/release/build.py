"""Build a release from its commit, twice, and insist on the same bytes.

The working tree has no part in it: git hands out the files of the commit, the commit's own time
stands for every time in the archives, and the build backend is pinned by hash.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from tools.isolate.isolation import Built
from tools.isolate.wheels import Wheel, build
from tools.release.checks import Candidate
from tools.release.refusal import Refusal, Refused
from tools.workspace import Workspace

CONSTRAINTS = Path(__file__).with_name("build-constraints.txt")
_JOBS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Files:
    """The files that people install: the wheel and the sdist."""

    wheel: Path
    sdist: Path

    def sums(self) -> dict[str, str]:
        """Give each file's SHA-256 by its name."""
        return {path.name: sha256(path) for path in (self.sdist, self.wheel)}


def sha256(path: Path) -> str:
    """Compute a file's SHA-256, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def build_twice(candidate: Candidate, work: Path) -> Files:
    """Build a candidate at two places and compare.

    Raises:
        BuildError: It does not build.
        Refused: The two are not the same to the byte.
    """
    first, second = [
        files(await build_one(candidate, work / place)) for place in ("first", "second/elsewhere")
    ]
    same(candidate, first.sums(), second.sums())
    return first


async def build_one(candidate: Candidate, work: Path) -> Wheel:
    """Build a candidate alone."""
    return (await build_with(candidate, {}, work)).wheels[candidate.name]


async def build_with(candidate: Candidate, siblings: Mapping[str, Version], work: Path) -> Built:
    """Build a candidate, and some siblings as they were released.

    Raises:
        BuildError: One does not build.
    """
    source, repository = work / "source", candidate.repository
    repository.export(candidate.commit, ["packages", "pyproject.toml"], source)
    for name, version in siblings.items():
        path = candidate.workspace.distributions[name].directory.relative_to(repository.root)
        shutil.rmtree(source / path)
        repository.export(candidate.released.revision(name, version), [path.as_posix()], source)
    workspace = Workspace.load(source)
    wheels = await build(
        workspace,
        [candidate.name, *siblings],
        source,
        work / "out",
        _JOBS,
        options=("--build-constraints", str(CONSTRAINTS), "--require-hashes"),
        env={"SOURCE_DATE_EPOCH": str(repository.epoch(candidate.commit))},
    )
    return Built(workspace, wheels, source, work)


def files(wheel: Wheel) -> Files:
    """Pick the files to release from what was built."""
    return Files(wheel.path, wheel.sdist)


def same(candidate: Candidate, one: Mapping[str, str], other: Mapping[str, str]) -> None:
    """Insist that two builds gave the same files.

    Raises:
        Refused: They did not; the message names the files that differ.
    """
    differing = sorted(
        name for name in one.keys() | other.keys() if one.get(name) != other.get(name)
    )
    if differing:
        raise Refused(
            Refusal(
                f"building {candidate.tag} twice gave different files: {_listed(differing)}",
                "look for a time, a path or an order that gets into them, as diffoscope shows it",
            )
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
