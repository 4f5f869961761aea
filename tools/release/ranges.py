"""Who depends on whom by which range, and so which release comes first."""

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from packaging.version import Version

from tools.graph.code import parse
from tools.graph.failure import Failure
from tools.graph.siblings import check_range, next_breaking
from tools.workspace import Declared, Workspace, WorkspaceError


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


def widened(stated: Declared, version: Version) -> str:
    """Write a range anew so that it admits a version as well as what it admitted."""
    requirement = parse(stated)
    lower = f">={version.major}.{version.minor}"
    for each in requirement.specifier if requirement else ():
        lower = str(each) if each.operator == ">=" else lower
    return f"{stated.name}{lower},<{next_breaking(version)}"
