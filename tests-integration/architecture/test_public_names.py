"""Every public name of every package is documented, and has one home.

That `__all__` is what a package shows, and that `__module__` agrees, each package shows itself.
"""

import ast
import enum
import importlib
import inspect
import itertools
import re

import pytest

from mist.errors import Code, MistError
from tools.workspace import Workspace

WORKSPACE = Workspace.load()


def public_modules(distribution):
    """Import the packages of a distribution that say what is public in them."""
    found = []
    for path in sorted(distribution.source.rglob("__init__.py")):
        if re.search(r"^__all__\b", path.read_text(encoding="utf-8"), re.MULTILINE):
            parts = path.parent.relative_to(distribution.directory / "src").parts
            found.append(importlib.import_module(".".join(parts)))
    return found


def explained_assignments(body):
    """Collect the names that are assigned in some statements and explained by a string below."""
    found = set()
    for statement, following in itertools.pairwise(body):
        explained = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if explained and isinstance(following.value.value, str):
            targets = getattr(statement, "targets", None) or [
                getattr(statement, "target", statement)
            ]
            nodes = (node for target in targets for node in ast.walk(target))
            found |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return found


def definitions(distribution):
    """Map the names of classes to what the source says of them, and of constants that it explains.

    By its source, because a class claims to live in a module that does not hold it, and because
    a constant has no docstring of its own.
    """
    trees = [ast.parse(path.read_bytes()) for path in distribution.source.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    return classes, set().union(*(explained_assignments(tree.body) for tree in trees))


MODULES = {m.__name__: m for d in WORKSPACE.with_code() for m in public_modules(d)}
DEFINITIONS = {d.module: definitions(d) for d in WORKSPACE.with_code()}


def undocumented_members(cls, definition):
    """Yield the public methods, properties and attributes of a class that nothing explains."""
    for name, value in vars(cls).items():
        has_docstring = callable(value) or isinstance(value, property)
        if has_docstring and not name.startswith("_") and not inspect.getdoc(getattr(cls, name)):
            yield name
    explained = explained_assignments(definition.body)
    for name in vars(cls).get("__annotations__", {}):
        # An attribute is explained below itself, or among the parameters of its class.
        named = re.search(rf"\b{name}\b", inspect.getdoc(cls) or "")
        if not name.startswith("_") and name not in explained and not named:
            yield name


def test_there_is_a_public_module_for_every_package():
    """None is left out by the way the modules are found."""
    assert {each.module for each in WORKSPACE.with_code()} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_is_documented(module):
    """Modules, classes, functions, constants, and all that is public within a class."""
    classes, constants = DEFINITIONS[".".join(module.split(".")[:2])]
    undocumented = [] if inspect.getdoc(MODULES[module]) else [module]
    for name in MODULES[module].__all__:
        value = getattr(MODULES[module], name)
        if not (inspect.isroutine(value) or isinstance(value, type)):
            undocumented += [] if name in constants else [name]
        elif not inspect.getdoc(value):
            undocumented.append(name)
        elif isinstance(value, type) and not issubclass(value, enum.Enum):
            members = undocumented_members(value, classes[name])
            undocumented += [f"{name}.{member}" for member in members]
    assert undocumented == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_error_carries_a_standard_code(module):
    """Retries, HTTP statuses and exit codes agree by `code`, whichever package an error is of."""
    public = [getattr(MODULES[module], name) for name in MODULES[module].__all__]
    for error in public:
        if not (isinstance(error, type) and issubclass(error, Exception)):
            continue
        if issubclass(error, MistError | Warning):
            continue  # no MistError is without one, and no program ends by a warning
        own = getattr(error, "code", None)
        # Where each instance has a code of its own, whoever raises it says which.
        assert own in set(Code) or "code" in inspect.signature(error).parameters, error


def test_a_public_name_has_one_home():
    """No object is exported by two modules, so that a reader meets it under one name."""
    homes = {}
    for module in MODULES.values():
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) or inspect.isroutine(value):
                homes.setdefault(value, []).append(f"{module.__name__}.{name}")
    assert [names for names in homes.values() if len(names) > 1] == []
