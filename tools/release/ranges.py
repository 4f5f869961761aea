"""Which release must come first, and whether the ranges on siblings hold what they promise."""

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from packaging.version import Version

from tools.graph.code import parse
from tools.graph.failure import Failure
from tools.graph.imports import files
from tools.graph.siblings import check_range, next_breaking
from tools.release.api import Interface, at
from tools.release.refusal import Refusal
from tools.release.released import Released
from tools.release.repository import Repository
from tools.workspace import Declared, Distribution, Place, Workspace, WorkspaceError


def siblings(workspace: Workspace, package: str) -> list[Declared]:
    """List every range that a package declares on a sibling, those of its extras included."""
    distribution = workspace.distributions[package]
    extras = (each for declared in distribution.extras.values() for each in declared)
    return workspace.siblings((*distribution.dependencies, *extras))


def in_order(workspace: Workspace, packages: Iterable[str]) -> list[str]:
    """Sort packages so that each comes after the siblings it depends on.

    Raises:
        WorkspaceError: They depend on each other in a circle.
    """
    wanted = set(packages)
    graph = {
        each.name: sorted({s.name for s in siblings(workspace, each.name)}) for each in workspace
    }
    try:
        return [each for each in TopologicalSorter(graph).static_order() if each in wanted]
    except CycleError as exc:
        circle = " -> ".join(exc.args[1])
        raise WorkspaceError(f"no order of releases: {circle}; run hatch run graph") from exc


def dependents(workspace: Workspace, package: str) -> Iterator[tuple[str, Declared]]:
    """Yield each range that a sibling declares on a package, and that sibling's name."""
    for each in workspace:
        for stated in siblings(workspace, each.name):
            if stated.name == package:
                yield each.name, stated


def check_ranges(workspace: Workspace, package: str) -> Iterator[Failure]:
    """Yield the ranges, of a package and on it, that do not fit the versions written here."""
    for stated in siblings(workspace, package):
        yield from check_range(package, stated, workspace.distributions[stated.name])
    for name, stated in dependents(workspace, package):
        yield from check_range(name, stated, workspace.distributions[package])


def check_released(
    repository: Repository, workspace: Workspace, released: Released, package: str
) -> Iterator[Refusal]:
    """Yield the ranges that no release satisfies, or whose lowest release lacks what is used."""
    told: set[str] = set()
    for stated in siblings(workspace, package):
        requirement = parse(stated)
        if requirement is None or stated.text in told:
            continue  # check_ranges tells of one that cannot be read
        told.add(stated.text)
        versions = released.admitted(stated.name, requirement.specifier)
        if not versions:
            yield Refusal(
                f"no {stated.name} that {stated.text!r} admits has been released",
                f"release it first, or together: hatch run release make {stated.name} {package}",
                stated.place,
            )
            continue
        yield from _lacking(repository, workspace, released, package, stated, versions)


def widened(stated: Declared, version: Version) -> str:
    """Write a range anew so that it admits a version as well as what it admitted."""
    requirement = parse(stated)
    lower = f">={version.major}.{version.minor}"
    for each in requirement.specifier if requirement else ():
        lower = str(each) if each.operator == ">=" else lower
    return f"{stated.name}{lower},<{next_breaking(version)}"


def _lacking(
    repository: Repository,
    workspace: Workspace,
    released: Released,
    package: str,
    stated: Declared,
    versions: list[Version],
) -> Iterator[Refusal]:
    """Yield each import from a sibling that the lowest admitted release does not serve."""
    sibling = workspace.distributions[stated.name]
    used = list(_imported(workspace.distributions[package], sibling.module, workspace.root))
    if not used:
        return
    interfaces: dict[Version, Interface] = {}

    def lacks(version: Version, module: str, name: str) -> bool:
        if version not in interfaces:
            revision = released.revision(sibling.name, version)
            interfaces[version] = at(repository, revision, sibling)
        return interfaces[version].lacks(module, name)

    for module, name, place in used:
        if not lacks(versions[0], module, name):
            continue
        enough = next((each for each in versions if not lacks(each, module, name)), None)
        yield Refusal(
            f"{package} imports {module}.{name}, which {sibling.name} {versions[0]} lacks, "
            f"and {stated.text!r} admits that release ({stated.place})",
            f'write "{sibling.name}>={enough},<{next_breaking(enough)}"'
            if enough
            else f"no release has it yet: release {sibling.name} first, then admit only that",
            place,
        )


def _imported(
    distribution: Distribution, module: str, root: Path
) -> Iterator[tuple[str, str, Place]]:
    """Yield each `from module import name` on a sibling: the module, the name, the line."""
    found: set[tuple[str, str]] = set()
    for path in files(distribution.source):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{module}."):
                for alias in node.names:
                    key = (str(node.module), alias.name)
                    if alias.name != "*" and key not in found:
                        found.add(key)
                        yield *key, Place(path.relative_to(root), node.lineno)
