"""What is public, under which name, and what importing it costs."""

import inspect
import subprocess
import sys
import types
from pathlib import Path

import mist.bindings


def test_all_names_are_the_public_names():
    """`__all__` lists every public name and nothing else, in order."""
    public = {
        name
        for name, value in vars(mist.bindings).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    # A function and the module that holds it have one name; the function is what users get.
    assert set(mist.bindings.__all__) == public
    assert list(mist.bindings.__all__) == sorted(
        mist.bindings.__all__, key=lambda name: (name[0].islower(), name)
    )


def test_public_objects_carry_the_public_module_and_a_docstring():
    """No repr or traceback names the file that an object lives in, and each is documented."""
    for name in mist.bindings.__all__:
        value = getattr(mist.bindings, name)
        assert value.__module__ == "mist.bindings", name
        assert inspect.getdoc(value), name


def test_the_package_is_typed_and_the_namespace_open():
    """`py.typed` is there, and nothing claims the namespace `mist`."""
    package = Path(mist.bindings.__file__).parent
    assert (package / "py.typed").is_file()
    assert not (package.parent / "__init__.py").exists()


def test_importing_is_cheap():
    """`import mist.bindings` loads no language, nothing that speaks to a network, and nothing that is slow to load."""
    script = "import sys, mist.bindings; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    network = {"ssl", "http.client", "asyncio", "mist_client"}
    slow = {"tempfile", "shutil", "importlib.resources"}
    languages = {name for name in loaded if name.startswith("mist.bindings.languages.")}
    assert not languages | ((network | slow) & set(loaded))
