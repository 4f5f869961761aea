"""Turn what is written under "unreleased" into a version: pyproject.toml, changelog, ranges."""

import datetime as dt
import re
from pathlib import Path

from packaging.version import Version

from tools.graph.code import parse
from tools.release.api import difference
from tools.release.bump import lowest
from tools.release.changelog import Changelog
from tools.release.checks import check_rise, version_place
from tools.release.ranges import dependents, widened
from tools.release.refusal import Refusal, Refused
from tools.release.released import Released, read_version
from tools.release.repository import Repository
from tools.workspace import Declared, Place, Workspace

_QUOTED = re.compile(r"""(?P<quote>["'])[^"']*(?P=quote)""")


def prepare(
    repository: Repository,
    workspace: Workspace,
    package: str,
    text: str,
    *,
    day: dt.date,
    widen: bool = False,
) -> list[str]:
    """Write a package's next version into its files; tell each thing done or to do, line by line.

    Nothing is written if anything speaks against it. `widen` also rewrites the ranges of siblings
    that the new version falls out of.

    Raises:
        WorkspaceError: There is no such package.
        Refused: The version is taken or too low, or nothing is written about it.
    """
    (distribution,) = workspace.select([package])
    name, version = distribution.name, read_version(text)
    changelog = Changelog.read(distribution.directory / "CHANGELOG.md", workspace.root)
    place = version_place(workspace, distribution)
    _check_version(repository, workspace, name, version)
    headed = _headed(changelog, version, day)
    told: list[str] = []
    if distribution.version != text:
        _replace(workspace.root, place, _QUOTED, f'"{version}"')
        told.append(f"{place}: version {distribution.version} -> {version}")
    if headed:
        changelog.path.write_text(headed, encoding="utf-8", newline="\n")
        told.append(f"{changelog.place.as_posix()}: ## {version} ({day})")
    for sibling, stated in dependents(workspace, name):
        if _admits(stated, version):
            continue
        wanted = widened(stated, version)
        if widen:
            old = re.compile(f"""["']{re.escape(stated.text)}["']""")
            _replace(workspace.root, stated.place, old, f'"{wanted}"')
            told.append(f'{stated.place}: {sibling} now admits it: "{wanted}"')
        else:
            told.append(
                f'{stated.place}: {sibling} excludes {version}: write "{wanted}", or --widen'
            )
    return told


def _check_version(
    repository: Repository, workspace: Workspace, name: str, version: Version
) -> None:
    """Refuse a version that is taken, or too low for what has changed."""
    released = Released.read(repository)
    last, before = released.last(name), released.before(name)
    if last is None or before is None:
        return
    found = difference(repository, workspace, name, released.revision(name, before.version))
    place = version_place(workspace, workspace.distributions[name])
    if version <= last.version:
        raise Refused(
            Refusal(
                f"{last} is released, and {version} is not after it",
                f"take {lowest(before.version, found.change)}, or a later version",
                place,
            )
        )
    if refusals := list(check_rise(before, version, found, place)):
        raise Refused(*refusals)


def _headed(changelog: Changelog, version: Version, day: dt.date) -> str:
    """Spell the changelog with its open section headed; empty if it already is."""
    first = changelog.sections[0] if changelog.sections else None
    if first and first.version == str(version) and first.is_dated:
        return ""
    if first is None or not first.is_open or not first.body:
        raise Refused(
            Refusal(
                f"nothing is written about {version}",
                f"write what changed under `## {version} (unreleased)`, above all other sections",
                Place(changelog.place, first.line if first else 1),
            )
        )
    return changelog.closed(first, version, day)


def _admits(stated: Declared, version: Version) -> bool:
    requirement = parse(stated)
    return requirement is None or requirement.specifier.contains(version, prereleases=True)


def _replace(root: Path, place: Place, old: re.Pattern[str], new: str) -> None:
    """Replace a string on one line of a file."""
    path = root / place.path
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[place.line - 1] = old.sub(new, lines[place.line - 1], count=1)
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
