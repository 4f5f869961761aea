"""What is public, under which name, and what importing it costs."""

import inspect
import subprocess
import sys
from importlib.resources import files

import mist.platform


def test_all_names_are_public_and_claim_the_package():
    """`__all__` holds exactly the public objects, and each says that it lives in mist.platform."""
    public = {
        name
        for name, value in vars(mist.platform).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(mist.platform.__all__)
    assert mist.platform.__all__ == sorted(mist.platform.__all__)
    for name in public:
        assert getattr(mist.platform, name).__module__ == "mist.platform"
        assert inspect.getdoc(getattr(mist.platform, name))


def test_package_is_typed_and_the_namespace_open():
    """The marker for type checkers is there, and nothing claims the namespace `mist`."""
    assert files("mist.platform").joinpath("py.typed").is_file()
    assert not files("mist.platform").joinpath("..", "__init__.py").is_file()


def test_import_loads_nothing_slow():
    """Importing the package adds neither typing nor re nor asyncio to what is loaded."""
    script = """
import sys
before = set(sys.modules)
import mist.platform
print(*set(sys.modules) - before)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    added = set(ran.stdout.split())
    assert "mist.platform" in added
    assert not {"typing", "re", "asyncio", "signal", "contextlib"} & added
