"""The package is what its front page says."""

import inspect
import subprocess
import sys
import types
from pathlib import Path

import mist.retry


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.retry).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.retry.__all__) == public


def test_public_objects_carry_the_public_module_and_a_docstring():
    """No private module shows in a repr or a traceback, and everything says what it is for."""
    for name in mist.retry.__all__:
        value = getattr(mist.retry, name)
        if isinstance(value, (type, types.FunctionType)):
            assert value.__module__ == "mist.retry"
            assert inspect.getdoc(value)


def test_the_package_is_typed_and_the_namespace_open():
    """`py.typed` is there, and nothing claims the namespace `mist`."""
    package = Path(mist.retry.__file__).parent
    assert (package / "py.typed").is_file()
    assert not (package.parent / "__init__.py").exists()


def test_importing_takes_nothing_heavy_along():
    """Who retries plain functions pays for no asyncio, typing, dataclasses, random or logging."""
    heavy = "{'asyncio', 'typing', 'dataclasses', 'inspect', 'random', 'logging', 'threading'}"
    show = f"import sys; print(sorted({heavy} & set(sys.modules)))"
    without, ours = (
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
        for program in (show, f"import mist.retry; {show}")
    )
    assert ours == without
