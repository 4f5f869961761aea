"""What is public, under which name, and what importing it costs."""

import copy
import inspect
import pickle
import subprocess
import sys
import types
from pathlib import Path

import pytest

import mist.protocol
from mist.protocol import MessageTooLarge, ProtocolError, UnsupportedVersion


def test_all_names_are_the_public_names():
    """`__all__` lists every public name and nothing else, in order."""
    public = {
        name
        for name, value in vars(mist.protocol).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.protocol.__all__) == public
    assert list(mist.protocol.__all__) == sorted(mist.protocol.__all__, key=sort_key)


def sort_key(name):
    """Order constants before classes before functions."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


def test_public_objects_carry_the_public_module():
    """No repr or traceback names the file that an object lives in."""
    for name in mist.protocol.__all__:
        value = getattr(mist.protocol, name)
        if isinstance(value, (type, types.FunctionType)):
            assert value.__module__ == "mist.protocol", name


def test_public_objects_are_documented():
    """Every public class, function and method has a docstring."""
    for name in mist.protocol.__all__:
        value = getattr(mist.protocol, name)
        if isinstance(value, (type, types.FunctionType)):
            assert inspect.getdoc(value), name
    for name, value in vars(mist.protocol.Message).items():
        if not name.startswith("_") and isinstance(value, (types.FunctionType, staticmethod)):
            assert inspect.getdoc(value), name


def test_the_package_is_typed_and_the_namespace_open():
    """`py.typed` is there, and nothing claims the namespace `mist`."""
    package = Path(mist.protocol.__file__).parent
    assert (package / "py.typed").is_file()
    assert not (package.parent / "__init__.py").exists()


def test_importing_brings_only_msgspec():
    """`import mist.protocol` imports msgspec and, besides it, little of the standard library."""
    script = (
        "import sys, msgspec; before = set(sys.modules)\n"
        "import mist.protocol\n"
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('mist')))"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    heavy = {"asyncio", "dataclasses", "inspect", "json", "logging", "random", "re", "subprocess"}
    assert not heavy & set(output)
    assert {name.partition(".")[0] for name in output} <= set(sys.stdlib_module_names) | {"msgspec"}


@pytest.mark.parametrize(
    "error",
    [ProtocolError("text"), UnsupportedVersion("text"), MessageTooLarge(11, 10, "line 3: message")],
)
def test_errors_are_values_with_a_code(error):
    """Every error is a ProtocolError and ValueError with code `protocol`; it copies and pickles."""
    assert isinstance(error, (ProtocolError, ValueError))
    assert error.code == "protocol"
    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(same) is type(error)
        assert str(same) == str(error)
        assert vars(same) == vars(error)
