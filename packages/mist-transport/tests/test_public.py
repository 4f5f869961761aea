"""What is public, under which name, and what importing it costs."""

import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

import mist.transport

MODULES = ["mist.transport", "mist.transport.sync", "mist.transport.testing"]


def own_objects(module):
    """Return the classes and functions that a module offers."""
    return {
        name: value
        for name in module.__all__
        if isinstance(value := getattr(module, name), (type, types.FunctionType))
    }


@pytest.mark.parametrize("name", MODULES)
def test_all_names_are_the_public_names(name):
    """`__all__` lists every public name and nothing else, in order."""
    module = importlib.import_module(name)
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(module.__all__) == public
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )


@pytest.mark.parametrize("name", MODULES)
def test_public_objects_carry_the_public_module(name):
    """No repr or traceback names the file that an object lives in."""
    module = importlib.import_module(name)
    for public, value in own_objects(module).items():
        assert value.__module__ == name, public


@pytest.mark.parametrize("name", MODULES)
def test_public_objects_are_documented(name):
    """Every public class, function, method and property has a docstring."""
    module = importlib.import_module(name)
    for public, value in own_objects(module).items():
        assert inspect.getdoc(value), public
        if isinstance(value, type):
            for member, attribute in vars(value).items():
                if not member.startswith("_") and (
                    callable(attribute) or isinstance(attribute, (property, classmethod))
                ):
                    assert inspect.getdoc(attribute), f"{public}.{member}"


def test_every_error_has_a_standard_code():
    """What is raised carries one of the stack's codes; what goes wrong on the way is an OSError."""
    standard = {"transport", "timeout", "unavailable", "validation"}
    misuse = {mist.transport.InvalidSettingError, mist.transport.WrongTransportError}
    errors = [
        value
        for value in own_objects(mist.transport).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(errors) == 8
    for error in errors:
        assert error.code in standard
        assert (error.code == "validation") is (error in misuse)
        assert issubclass(error, OSError) is (error not in misuse)


def test_the_package_is_typed_and_the_namespace_open():
    """`py.typed` is there, and nothing claims the namespace `mist`."""
    package = Path(mist.transport.__file__).parent
    assert (package / "py.typed").is_file()
    assert not (package.parent / "__init__.py").exists()


@pytest.mark.parametrize("name", MODULES)
def test_importing_brings_nothing_heavy(name):
    """The HTTP client and server are imported by the call that needs them, not before."""
    script = (
        f"import sys; given = {{*sys.modules}}; import {name}; print(*{{*sys.modules}} - given)"
    )
    modules = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    heavy = {"aiohttp", "uvicorn", "httptools", "starlette", "uvloop", "rich", "h11", "click"}
    assert not heavy & set(modules)
    foreign = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    # What msgspec brings, and the interpreter itself at its start, is not our doing.
    given = subprocess.run(
        [sys.executable, "-c", "import sys, msgspec; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert foreign - set(given) <= {"mist"}
