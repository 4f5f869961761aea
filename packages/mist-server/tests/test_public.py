"""What is public, under which name, and what importing it costs."""

import inspect
import subprocess
import sys
import types
from pathlib import Path

import mist.server
from mist.errors import Code, MistError


def test_all_names_are_the_public_names():
    """`__all__` lists every public name and nothing else, in order."""
    public = {
        name
        for name, value in vars(mist.server).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.server.__all__) == public
    assert list(mist.server.__all__) == sorted(mist.server.__all__)


def test_public_objects_carry_the_public_module():
    """No repr or traceback names the file that an object lives in."""
    for name in mist.server.__all__:
        assert getattr(mist.server, name).__module__ == "mist.server"


def test_public_objects_are_documented():
    """Every public class, method and property has a docstring."""
    for name in mist.server.__all__:
        value = getattr(mist.server, name)
        assert inspect.getdoc(value), name
        for member, attribute in vars(value).items():
            if not member.startswith("_"):
                assert inspect.getdoc(attribute), f"{name}.{member}"


def test_every_error_has_a_standard_code():
    """Errors are MistErrors, so that everything which knows codes knows them."""
    assert issubclass(mist.server.PatternError, mist.server.ServerError)
    assert issubclass(mist.server.ServerError, MistError)
    assert mist.server.ServerError(Code.CONFLICT, "in use").code == "conflict"


def test_the_package_is_typed_and_the_namespace_open():
    """`py.typed` is there, and nothing claims the namespace `mist`."""
    package = Path(mist.server.__file__).parent
    assert (package / "py.typed").is_file()
    assert not (package.parent / "__init__.py").exists()


def test_importing_brings_nothing_heavy():
    """Starlette comes with the first handler, uvicorn when it is served."""
    script = "import sys, mist.server; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    heavy = {"uvicorn", "httptools", "starlette", "anyio", "uvloop", "h11", "click"}
    assert not heavy & set(modules)
