"""Try a release as its users will: the built wheel, alone, with siblings as they were released."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from packaging.version import Version

from tools.isolate.isolation import isolate, together
from tools.isolate.outcome import Outcome
from tools.release.build import Files, build_beside, insist_on_the_same
from tools.release.checks import Candidate
from tools.release.refusal import Refused
from tools.release.resolve import resolve

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


async def trial(
    candidate: Candidate, given: Files, work: Path, pythons: Sequence[str] = (RUNNING,)
) -> list[Outcome]:
    """Run a package's isolated test on given files, beside the newest and the oldest siblings.

    Raises:
        BuildError: The package or a sibling does not build.
        Refused: The given files are not what the commit builds to.
    """
    newest = resolve(candidate)
    try:
        oldest = resolve(candidate, lowest=True)
    except Refused:  # the oldest exclude each other, so nobody can have them together
        oldest = newest
    outcomes = await _beside(candidate, given, newest, work / "newest", pythons)
    if oldest != newest:
        outcomes += await _beside(candidate, given, oldest, work / "oldest", pythons)
    return outcomes


async def _beside(
    candidate: Candidate,
    given: Files,
    siblings: dict[str, Version],
    work: Path,
    pythons: Sequence[str],
) -> list[Outcome]:
    built = await build_beside(candidate, siblings, work)
    again = built.wheels[candidate.name]
    insist_on_the_same(candidate, given, Files(again.path, again.sdist))
    tested = replace(again, path=given.wheel, sdist=given.sdist)
    built = replace(built, wheels={**built.wheels, candidate.name: tested})
    outcomes: list[Outcome] = []
    for python in pythons:
        outcomes.append(await isolate(built, candidate.name, python))
        if candidate.name == "mist":  # its extra brings every sibling: all of them in one place
            outcomes.append(await together(built, python))
    return outcomes
