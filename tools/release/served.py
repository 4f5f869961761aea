"""Whether what has been released serves a package: its ranges on siblings hold what they promise."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from packaging.version import Version

from tools.graph.code import parse
from tools.graph.imports import files
from tools.graph.siblings import next_breaking
from tools.release.api import Interface, at
from tools.release.ranges import in_order, siblings
from tools.release.refusal import Refusal
from tools.release.released import Released
from tools.release.repository import Repository
from tools.workspace import Distribution, Place, Workspace


@dataclass(frozen=True, slots=True)
class Past:
    """What a sibling offered in each of its releases."""

    repository: Repository
    released: Released
    sibling: Distribution
    _interfaces: dict[Version, Interface] = field(default_factory=dict[Version, Interface])

    def lacks(self, version: Version, module: str, name: str) -> bool:
        """Tell whether `from module import name` failed in a release."""
        if version not in self._interfaces:
            revision = self.released.revision(self.sibling.name, version)
            self._interfaces[version] = at(self.repository, revision, self.sibling)
        return self._interfaces[version].lacks(module, name)


def check_served(
    repository: Repository, workspace: Workspace, released: Released, package: str
) -> Iterator[Refusal]:
    """Yield the ranges that hold no release, or whose lowest release lacks what is imported."""
    missing: dict[str, Place] = {}
    for stated in {each.text: each for each in siblings(workspace, package)}.values():
        requirement = parse(stated)
        if requirement is None:
            continue  # check_ranges tells of it
        versions = released.admitted(stated.name, requirement.specifier)
        if versions:
            past = Past(repository, released, workspace.distributions[stated.name])
            for wrong, place, remedy in _lacking(past, workspace, package, versions):
                yield Refusal(f"{wrong}, and {stated.text!r} admits that one", remedy, place)
        else:
            missing[stated.name] = stated.place
    if missing:
        names = in_order(workspace, missing)
        yield Refusal(
            f"{package} needs siblings within ranges that hold no release yet: {', '.join(names)}",
            f"release them first, or together: hatch run release make {' '.join(names)} {package}",
            min(missing.values()),
        )


def _lacking(
    past: Past, workspace: Workspace, package: str, versions: list[Version]
) -> Iterator[tuple[str, Place, str]]:
    """Yield each import that the lowest version does not serve, its line, and what does."""
    sibling = past.sibling
    for module, name, place in _imported(workspace, package, sibling.module):
        if past.lacks(versions[0], module, name):
            serving = (each for each in versions if not past.lacks(each, module, name))
            enough = next(serving, None)
            yield (
                f"{package} imports {module}.{name}, which {sibling.name} {versions[0]} lacks",
                place,
                f'write "{sibling.name}>={enough},<{next_breaking(enough)}"'
                if enough
                else f"no release has it yet: release {sibling.name}, then write that as the lowest",
            )


def _imported(workspace: Workspace, package: str, module: str) -> Iterator[tuple[str, str, Place]]:
    """Yield each `from module import name` on a sibling: the module, the name, the line."""
    found: set[tuple[str, str]] = set()
    for path in files(workspace.distributions[package].source):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{module}."):
                for alias in node.names:
                    key = (str(node.module), alias.name)
                    if alias.name != "*" and key not in found:
                        found.add(key)
                        yield *key, Place(path.relative_to(workspace.root), node.lineno)
