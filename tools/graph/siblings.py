"""Dependencies between the distributions: declared == imported == allowed, in sane ranges."""

from collections.abc import Iterator

from packaging.version import Version

from tools.graph.code import Code, Graph, parse
from tools.graph.failure import Failure
from tools.graph.imports import Import
from tools.workspace import Declared, Distribution


def check_siblings(graph: Graph, code: Code) -> Iterator[Failure]:
    """Yield what is wrong with one distribution's edges to its siblings."""
    imported: dict[str, Import] = {}
    for each in code.imports:
        if each.top == "mist":
            owner = graph.owner(each.module)
            if owner is None:
                yield _unknown(each)
            else:
                imported.setdefault(owner, each)
    imported.pop(code.name, None)
    declared = {each.name: each for each in graph.workspace.siblings(code.declared)}
    for name, each in imported.items():
        if name not in declared:
            yield _undeclared(graph, code, name, each)
    for name, stated in declared.items():
        if not code.allowed.admits(name):
            yield _not_allowed(code, name, stated)
        elif name not in imported:
            yield Failure(
                stated.place,
                f"{code.name} declares {name} but never imports it",
                "drop the dependency, or the code that needs it is missing",
            )
    for stated in graph.workspace.siblings((*code.declared, *code.bundled)):
        yield from check_range(code.name, stated, graph.workspace.distributions[stated.name])
    yield from _bundles(graph, code)


def suggested_range(sibling: Distribution) -> str:
    """Write the range a dependency on a sibling's present version should have."""
    version = Version(sibling.version)
    return f"{sibling.name}>={version.major}.{version.minor},<{next_breaking(version)}"


def next_breaking(version: Version) -> str:
    """Write the lowest later version that may break what worked with this one."""
    return f"{version.major + 1}" if version.major else f"0.{version.minor + 1}"


def check_range(name: str, stated: Declared, sibling: Distribution) -> Iterator[Failure]:
    """Yield what is wrong with the range by which `name` depends on a sibling."""
    write = f'write "{suggested_range(sibling)}"'
    requirement = parse(stated)
    if requirement is None or requirement.url:
        yield Failure(stated.place, f"{name} does not name a range: {stated.text!r}", write)
        return
    operators = sorted(each.operator for each in requirement.specifier)
    version = Version(sibling.version)
    if operators != ["<", ">="]:
        wrong = f"{name} does not declare {sibling.name} by a compatible range"
    elif not requirement.specifier.contains(version, prereleases=True):
        wrong = f"{name} excludes the present {sibling.name} {version}"
    elif requirement.specifier.contains(next_breaking(version), prereleases=True):
        wrong = f"{name} admits {sibling.name} {next_breaking(version)}, which may break it"
    else:
        return
    yield Failure(stated.place, f"{wrong}: {stated.text!r}", write)


def _unknown(each: Import) -> Failure:
    if each.module == "mist":
        return Failure(
            each.place,
            "`import mist` imports the bare namespace, and so hides which package is meant",
            "import the package itself: `import mist.<package>`",
        )
    return Failure(
        each.place,
        f"no distribution of this workspace ships {each.module}",
        "correct the name",
    )


def _undeclared(graph: Graph, code: Code, name: str, each: Import) -> Failure:
    declare = f'declare "{suggested_range(graph.workspace.distributions[name])}"'
    return Failure(
        each.place,
        f"{code.name} imports {each.module} but does not declare {name}",
        f"{declare} in {code.distribution.pyproject.as_posix()}, or drop the import"
        if code.allowed.admits(name)
        else f"drop the import: {code.name} may depend on {code.allowed.describe_siblings()} "
        f"({code.allowed.place})",
    )


def _not_allowed(code: Code, name: str, stated: Declared) -> Failure:
    return Failure(
        stated.place,
        f"{code.name} declares {name}, which the architecture does not allow",
        f"drop it: {code.name} may depend on {code.allowed.describe_siblings()} "
        f"({code.allowed.place})",
    )


def _bundles(graph: Graph, code: Code) -> Iterator[Failure]:
    for extra in sorted(code.allowed.bundles):
        stated = code.distribution.extras.get(extra, ())
        place = stated[0].place if stated else code.distribution.requires_python.place
        listed = {each.name for each in stated}
        for missing in sorted(set(graph.workspace.distributions) - listed - {code.name}):
            sibling = graph.workspace.distributions[missing]
            yield Failure(
                place,
                f"the extra {extra!r} of {code.name} does not hold {missing}",
                f'add "{suggested_range(sibling)}" to it: it holds every sibling',
            )
