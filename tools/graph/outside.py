"""Dependencies from outside the workspace: declared == imported, each with its place."""

import re
import sys
from collections.abc import Iterator

from tools.graph.code import Code, Graph, parse
from tools.graph.failure import Failure
from tools.graph.imports import Import
from tools.workspace import Declared

# `_typeshed` exists for type checkers alone; siblings are checked elsewhere.
_NO_DISTRIBUTION = sys.stdlib_module_names | {"mist", "_typeshed", ""}
_TESTS_RUN_BY = "pytest"


def check_outside(graph: Graph, code: Code) -> Iterator[Failure]:
    """Yield what is wrong with what one distribution takes from outside."""
    declared = _outside(graph, code.declared)
    imported = {each.top: each for each in reversed(list(code.imports))}
    imported = {top: each for top, each in imported.items() if top not in _NO_DISTRIBUTION}
    for top, each in imported.items():
        provider = graph.providers.provider(top, declared)
        if provider not in declared:
            yield Failure(
                each.place,
                f"{code.name} imports {each.module} but does not declare {provider}",
                f"declare {provider} in {code.distribution.pyproject.as_posix()}, "
                "or drop the import",
            )
    for name, stated in declared.items():
        if parse(stated) is None:
            yield Failure(
                stated.place, f"{stated.text!r} is not a requirement", "write `name>=version`"
            )
            continue
        yield from _allowed(code, name, stated)
        if not graph.providers.import_names(name) & set(imported):
            yield from _by_name(graph, code, name, stated)
    yield from _superfluous(graph, code, set(declared), set(imported))


def check_tests(graph: Graph, code: Code) -> Iterator[Failure]:
    """Yield what a distribution's tests import without it being there when they run alone."""
    local = {source.place.path.stem for source in code.tests}
    local |= {parent.name for source in code.tests for parent in source.place.path.parents}
    tools = {each.name: each for each in code.distribution.test_tools}
    declared = {**_outside(graph, code.declared), **tools}
    siblings = {each.name for each in graph.workspace.siblings(code.declared)} | {code.name}
    used: set[str] = set()
    for each in _first_of_each(code):
        if each.top == "mist":
            owner = graph.owner(each.module)
            if owner not in siblings and each.module != "mist":
                yield Failure(
                    each.place,
                    f"the tests of {code.name} import {each.module}, which is not among its "
                    "dependencies",
                    "move the test to tests-integration/",
                )
        elif each.top not in _NO_DISTRIBUTION and each.top not in local:
            provider = graph.providers.provider(each.top, declared)
            used.add(provider)
            # A namespace such as opentelemetry has parts from several of them.
            used |= {name for name in declared if each.top in graph.providers.import_names(name)}
            if provider not in declared:
                yield Failure(
                    each.place,
                    f"the tests of {code.name} import {each.module} but nothing declares "
                    f"{provider}",
                    f"add {provider} to [dependency-groups] test in "
                    f"{code.distribution.pyproject.as_posix()}",
                )
    if not code.tests:
        return
    for name, stated in tools.items():
        if name not in used | graph.providers.plugins | {_TESTS_RUN_BY}:
            yield Failure(
                stated.place,
                f"the tests of {code.name} never import {name}",
                "drop it from [dependency-groups] test",
            )


def _outside(graph: Graph, declared: tuple[Declared, ...]) -> dict[str, Declared]:
    return {each.name: each for each in declared if each.name not in graph.workspace.distributions}


def _first_of_each(code: Code) -> Iterator[Import]:
    """Yield each module the tests import, once, at its first place."""
    seen: set[str] = set()
    for source in code.tests:
        for each in source.imports:
            if not each.relative and each.module not in seen:
                seen.add(each.module)
                yield each


def _allowed(code: Code, name: str, stated: Declared) -> Iterator[Failure]:
    if name in code.allowed.third_party:
        return
    if not code.allowed.chosen:
        yield Failure(
            stated.place,
            f"{code.name} declares {name}, which the architecture does not allow",
            f"drop it: {code.allowed.place} names all that {code.name} takes from outside",
        )
        return
    changelog = code.distribution.directory / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8") if changelog.is_file() else ""
    if not re.search(rf"\b{re.escape(name)}\b", text.replace("_", "-"), re.IGNORECASE):
        yield Failure(
            stated.place,
            f"{code.name} declares {name} without saying why",
            f"add one line of reason to {changelog.parent.name}/{changelog.name}",
        )


def _by_name(graph: Graph, code: Code, name: str, stated: Declared) -> Iterator[Failure]:
    """Accept a dependency that is loaded by its name, if that name is really in the code."""
    reason = code.distribution.loaded_by_name.get(name)
    if reason is None or not reason.text.strip():
        yield Failure(
            stated.place,
            f"{code.name} declares {name} but never imports it",
            "drop the dependency; if something else loads it by name, say so: "
            f'[tool.mist.loaded-by-name] {name} = "<who and why>"',
        )
        return
    names = graph.providers.import_names(name)
    strings = {string for source in code.sources for string in source.strings}
    if not any(re.split(r"[.:]", string)[0] in names for string in strings):
        yield Failure(
            reason.place,
            f"no string in {code.name} names {' or '.join(sorted(names))}, said to be loaded "
            "by name",
            f"drop {name} here and from the dependencies",
        )


def _superfluous(
    graph: Graph, code: Code, declared: set[str], imported: set[str]
) -> Iterator[Failure]:
    for name, reason in code.distribution.loaded_by_name.items():
        if name not in declared or graph.providers.import_names(name) & imported:
            said = "imported" if name in declared else "not declared"
            yield Failure(
                reason.place,
                f"{name} is {said} by {code.name}, so it is not a matter of loading by name",
                f"drop {name} from [tool.mist.loaded-by-name]",
            )
