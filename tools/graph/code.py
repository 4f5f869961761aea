"""A distribution's declarations beside what its code really does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from tools.graph.architecture import Allowed, Architecture
from tools.graph.failure import Failure
from tools.graph.imports import Import, Source, files, read_source
from tools.graph.providers import Providers
from tools.workspace import Declared, Distribution, Place, Workspace


@dataclass(frozen=True, slots=True)
class Code:
    """One distribution as the checks see it."""

    distribution: Distribution
    allowed: Allowed
    sources: tuple[Source, ...]
    tests: tuple[Source, ...]

    @property
    def name(self) -> str:
        """The distribution's name."""
        return self.distribution.name

    @property
    def imports(self) -> Iterator[Import]:
        """Every import of the shipped code; entry points count, they are loaded by name."""
        for source in self.sources:
            yield from source.imports
        for entry in self.distribution.entry_points:
            yield Import(entry.text.partition(":")[0].strip(), entry.place)

    @property
    def declared(self) -> tuple[Declared, ...]:
        """Requirements of the code: always installed, or by an extra that is not a bundle."""
        extras = self.distribution.extras.items()
        optional = (each for extra, all_ in extras if not self.is_bundle(extra) for each in all_)
        return (*self.distribution.dependencies, *(e for e in optional if e.name != self.name))

    @property
    def bundled(self) -> tuple[Declared, ...]:
        """Requirements that only gather siblings for the user."""
        extras = self.distribution.extras.items()
        return tuple(each for extra, all_ in extras if self.is_bundle(extra) for each in all_)

    def is_bundle(self, extra: str) -> bool:
        """Tell whether the architecture knows an extra as a bundle of siblings."""
        return extra in self.allowed.bundles


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything the checks look at."""

    workspace: Workspace
    architecture: Architecture
    providers: Providers
    codes: Mapping[str, Code]

    def owner(self, module: str) -> str | None:
        """Name the distribution that ships a `mist.` module, existing or planned."""
        package = ".".join(module.split(".")[:2])
        owners = (each.name for each in self.workspace if each.module == package)
        return next(owners, None)


def read(
    workspace: Workspace, architecture: Architecture, providers: Providers
) -> tuple[Graph, list[Failure]]:
    """Read all code; what cannot be read, or has no row in the table, is a failure."""
    codes: dict[str, Code] = {}
    failures: list[Failure] = []
    for each in workspace:
        allowed = architecture.rows.get(each.name)
        if allowed is None:
            failures.append(
                Failure(
                    architecture.place,
                    f"the architecture has no row for {each.name} ({each.pyproject.as_posix()})",
                    f"add [distributions.{each.name}] with what it may depend on",
                )
            )
            continue
        shipped, bad_shipped = _read_all(each.source, each.module, workspace.root)
        tests, bad_tests = _read_all(each.tests, "", workspace.root)
        failures.extend((*bad_shipped, *bad_tests))
        codes[each.name] = Code(each, allowed, shipped, tests)
    for name, row in architecture.rows.items():
        if name not in workspace.distributions:
            failures.append(
                Failure(
                    row.place,
                    f"the architecture has a row for {name}, which is not under packages/",
                    "add the distribution, or drop the row",
                )
            )
    return Graph(workspace, architecture, providers, codes), failures


def _read_all(
    directory: Path, package: str, root: Path
) -> tuple[tuple[Source, ...], list[Failure]]:
    found: list[Source] = []
    failures: list[Failure] = []
    for path in files(directory):
        try:
            found.append(read_source(path, directory, package, root))
        except SyntaxError as exc:
            place = Place(path.relative_to(root), exc.lineno or 1)
            failures.append(Failure(place, f"not Python: {exc.msg}", "correct the file"))
    return tuple(found), failures


def parse(declared: Declared) -> Requirement | None:
    """Parse a requirement, or tell by None that it is not one."""
    try:
        return Requirement(declared.text)
    except InvalidRequirement:
        return None
