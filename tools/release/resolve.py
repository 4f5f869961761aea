"""Which releases of its siblings a package would be installed with."""

import tomllib
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tools.release.checks import Candidate
from tools.release.ranges import siblings
from tools.release.refusal import Refusal, Refused
from tools.workspace import normalize


def resolve(candidate: Candidate, *, lowest: bool = False) -> dict[str, Version]:
    """Choose a release for each sibling in the closure, the newest that all ranges admit.

    With `lowest`, the siblings that the package names itself are the oldest that it admits.

    Raises:
        Refused: No release of a sibling fits every range on it.
    """
    direct = [Requirement(each.text) for each in siblings(candidate.workspace, candidate.name)]
    oldest = {normalize(each.name) for each in direct} if lowest else set[str]()
    ranges: dict[str, SpecifierSet] = {}
    chosen: dict[str, Version] = {}
    waiting = direct
    while waiting:
        requirement = waiting.pop(0)
        name = normalize(requirement.name)
        ranges[name] = ranges.get(name, SpecifierSet()) & requirement.specifier
        admitted = candidate.released.admitted(name, ranges[name])
        if not admitted:
            raise Refused(
                Refusal(
                    f"no release of {name} fits {candidate.name} and its siblings: {ranges[name]}",
                    f"release the siblings of {candidate.name} that still ask for an older {name}",
                )
            )
        version = admitted[0 if name in oldest else -1]
        if chosen.get(name) != version:
            chosen[name] = version
            waiting.extend(_needs(candidate, name, version))
    return chosen


def _needs(candidate: Candidate, name: str, version: Version) -> Iterator[Requirement]:
    """Yield what a release of a sibling requires of its own siblings."""
    directory = candidate.workspace.distributions[name].directory
    path = (directory / "pyproject.toml").relative_to(candidate.workspace.root).as_posix()
    revision = candidate.released.revision(name, version)
    project = tomllib.loads(candidate.repository.read(revision, path))["project"]
    for requirement in map(Requirement, project.get("dependencies", [])):
        if normalize(requirement.name) in candidate.workspace.distributions:
            yield requirement
