"""The shape of a distribution: one package under the namespace, honest metadata."""

from collections.abc import Iterator
from pathlib import Path

from tools.graph.code import Code, Graph
from tools.graph.failure import Failure
from tools.workspace import Place


def check_layout(graph: Graph, code: Code) -> Iterator[Failure]:
    """Yield what is wrong with one distribution's files and its fixed metadata."""
    yield from _namespace(graph, code)
    yield from _only_its_own_package(graph, code)
    yield from _relative_imports(code)
    yield from _entry_points(code)
    required = graph.architecture.requires_python
    stated = code.distribution.requires_python
    if stated.text != required:
        yield Failure(
            stated.place,
            f"{code.name} has requires-python {stated.text or 'unset'!r}",
            f'write requires-python = "{required}", the range every distribution supports',
        )


def _namespace(graph: Graph, code: Code) -> Iterator[Failure]:
    for path in sorted(code.distribution.directory.rglob("mist/__init__.py*")):
        yield Failure(
            Place(path.relative_to(graph.workspace.root)),
            f"{code.name} has mist/{path.name}, which would hide every other distribution",
            "delete it: `mist` is a namespace (PEP 420)",
        )


def _only_its_own_package(graph: Graph, code: Code) -> Iterator[Failure]:
    src = code.distribution.directory / "src"
    namespace = src / "mist"
    inside = [*_children(src), *_children(namespace)]
    for path in inside:
        if path in {namespace, code.distribution.source} or path.name.startswith("__init__.py"):
            continue
        yield Failure(
            Place(path.relative_to(graph.workspace.root)),
            f"{code.name} ships {path.relative_to(src).as_posix()} beside {code.distribution.module}",
            "one distribution ships one package: move it into that package",
        )


def _children(directory: Path) -> list[Path]:
    ignored = {"__pycache__"}
    return sorted(p for p in directory.glob("*") if p.name not in ignored)


def _relative_imports(code: Code) -> Iterator[Failure]:
    for source in code.sources:
        for each in source.imports:
            if each.relative and not _within(each.module, code.distribution.module):
                yield Failure(
                    each.place,
                    f"a relative import leaves {code.distribution.module} for {each.module}",
                    "import another distribution by its absolute name, and declare it",
                )


def _entry_points(code: Code) -> Iterator[Failure]:
    own = code.distribution.module
    for entry in code.distribution.entry_points:
        module = entry.text.partition(":")[0].strip()
        if not _within(module, own):
            continue
        path = code.distribution.source.joinpath(*module.split(".")[2:])
        if not (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()):
            yield Failure(
                entry.place,
                f"the entry point {entry.text!r} of {code.name} names a module that is not there",
                f"name a module of {own}",
            )


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")
