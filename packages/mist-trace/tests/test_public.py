"""What is public, under which name, and what importing it costs."""

import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

import mist.trace

MODULES = ["mist.trace", "mist.trace.otel"]


@pytest.mark.parametrize("name", MODULES)
def test_all_names_are_the_public_names(name):
    """`__all__` lists every public name and nothing else, in order."""
    module = importlib.import_module(name)
    public = {
        name
        for name, value in vars(module).items()
        # A submodule may have the name of what it holds; the object is what counts.
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(module.__all__) == public
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )


@pytest.mark.parametrize("name", MODULES)
def test_public_objects_carry_the_public_module_and_documentation(name):
    """No repr or traceback names the file of an object, and each has a docstring."""
    module = importlib.import_module(name)
    for public in module.__all__:
        value = getattr(module, public)
        assert value.__module__ == name, public
        assert inspect.getdoc(value), public
        for member, attribute in vars(value).items() if isinstance(value, type) else ():
            if not member.startswith("_") and (
                callable(attribute) or isinstance(attribute, property)
            ):
                assert inspect.getdoc(attribute), f"{public}.{member}"


def test_the_package_is_typed_and_the_namespace_open():
    """`py.typed` is there, and nothing claims the namespace `mist`."""
    package = Path(mist.trace.__file__).parent
    assert (package / "py.typed").is_file()
    assert not (package.parent / "__init__.py").exists()


def test_importing_and_using_it_does_not_load_opentelemetry():
    """OpenTelemetry is loaded by `mist.trace.otel`, and by nothing else."""
    script = """
import sys
from mist.trace import add_sink, extract_http, inject_http, render, start
ended = []
add_sink(ended.append)
with extract_http({}, "op"):
    inject_http({})
render(ended)
print(*sys.modules)
"""
    modules = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    assert not any(name.startswith("opentelemetry") for name in modules)


def test_importing_it_is_quick():
    """What takes long to load is left to the calls that need it."""
    # Not by the clock: these are what the time of importing this package would be made of.
    script = "import sys, mist.trace; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {script}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "mist.trace" in modules
    assert not {"asyncio", "inspect", "logging", "threading", "typing", "json"} & set(modules)
