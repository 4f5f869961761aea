"""What is public, under which name, and what importing it costs."""

import inspect
import subprocess
import sys
from importlib.resources import files

import mist.checkpoint

STANDARD = {"internal", "validation", "conflict", "unavailable", "timeout", "auth", "not_found"}


def test_all_names_are_public_and_claim_the_package():
    """`__all__` holds exactly the public objects; each says that it lives in mist.checkpoint."""
    public = {
        name
        for name, value in vars(mist.checkpoint).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(mist.checkpoint.__all__)
    assert mist.checkpoint.__all__ == sorted(mist.checkpoint.__all__)
    for name in public:
        assert getattr(mist.checkpoint, name).__module__ == "mist.checkpoint"


def test_public_objects_are_documented():
    """Every public class, function, method and property has a docstring."""
    for name in mist.checkpoint.__all__:
        value = getattr(mist.checkpoint, name)
        assert inspect.getdoc(value), name
        if isinstance(value, type):
            for member, attribute in vars(value).items():
                if not member.startswith("_") and (
                    callable(attribute) or isinstance(attribute, property)
                ):
                    assert inspect.getdoc(attribute), f"{name}.{member}"


def test_every_error_has_a_standard_code():
    """Whatever is raised carries one, and is a CheckpointError."""
    errors = [
        value
        for value in map(mist.checkpoint.__dict__.get, mist.checkpoint.__all__)
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(errors) == 4
    for error in errors:
        assert issubclass(error, mist.checkpoint.CheckpointError)
        assert error.code in STANDARD


def test_statuses_are_those_of_mist_go():
    """They are strings, too."""
    assert [*mist.checkpoint.Status] == ["pending", "running", "completed", "failed", "skipped"]


def test_package_is_typed_and_the_namespace_open():
    """The marker for type checkers is there, and nothing claims the namespace `mist`."""
    assert files("mist.checkpoint").joinpath("py.typed").is_file()
    assert not files("mist.checkpoint").joinpath("..", "__init__.py").is_file()


def test_import_loads_nothing_slow():
    """Importing the package adds neither asyncio nor logging to what msgspec needs."""
    script = """
import sys, msgspec
before = set(sys.modules)
import mist.checkpoint
print(*set(sys.modules) - before)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    added = set(ran.stdout.split())
    assert "mist.checkpoint" in added
    assert not {"asyncio", "logging", "argparse", "concurrent.futures"} & added
