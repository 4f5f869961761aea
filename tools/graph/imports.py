"""What a source file imports, at any depth, however it is spelled."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import Place

_BY_NAME = {"import_module", "__import__", "resolve_name"}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, absolute, and the line that asks for it."""

    module: str
    place: Place
    relative: bool = False

    @property
    def top(self) -> str:
        """The name an importer looks up on the path."""
        return self.module.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Source:
    """One file's imports, and the strings it holds outside its docstrings."""

    place: Place
    imports: tuple[Import, ...]
    strings: frozenset[str]


def files(directory: Path) -> list[Path]:
    """List every module and stub below a directory."""
    return sorted(p for p in directory.rglob("*.py*") if p.suffix in {".py", ".pyi"})


def read_source(path: Path, directory: Path, package: str, root: Path) -> Source:
    """Read one module below `directory`, which is imported as `package`.

    Raises:
        SyntaxError: The file is not Python.
    """
    shown = path.relative_to(root)
    parents = [package, *path.relative_to(directory).parent.parts]
    package = ".".join(part for part in parents if part)
    tree = ast.parse(path.read_bytes(), filename=shown.as_posix())
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found: list[Import] = []
    strings: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and id(node) not in docstrings:
                strings.add(node.value)
        elif isinstance(node, ast.Import | ast.ImportFrom | ast.Call):
            found.extend(
                Import(module, Place(shown, node.lineno), relative)
                for module, relative in _modules(node, package)
            )
    return Source(Place(shown), tuple(found), frozenset(strings))


def _modules(
    node: ast.Import | ast.ImportFrom | ast.Call, package: str
) -> Iterator[tuple[str, bool]]:
    """Yield the absolute name of each module a node imports, and whether it was relative."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, False) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute("." * node.level + (node.module or ""), package)
        if base in {"mist", ""}:  # the namespace holds nothing but packages: they are what is meant
            yield from ((f"{base}.{alias.name}".strip("."), node.level > 0) for alias in node.names)
        else:
            yield base, node.level > 0
    elif node.args and isinstance(node.args[0], ast.Constant):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        target = node.args[0].value
        if name in _BY_NAME and isinstance(target, str):
            target = target.partition(":")[0]
            yield _absolute(target, package), target.startswith(".")


def _absolute(name: str, package: str) -> str:
    """Resolve leading dots against the package that holds the module."""
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    if not level:
        return bare
    parts = package.split(".")
    kept = parts[: max(len(parts) - level + 1, 0)]
    return ".".join([*kept, bare] if bare else kept)
