"""The package is what its front page says."""

import subprocess
import sys
import types

import mist.config

_ALIASES = {"ByteSize", "Duration"}  # annotations, which carry the module of typing


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.config).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.config.__all__) == public


def test_public_objects_carry_the_public_module():
    """No private module shows in a repr or a traceback."""
    named = set(mist.config.__all__) - _ALIASES
    assert {getattr(mist.config, name).__module__ for name in named} == {"mist.config"}


def test_importing_loads_nothing_that_only_a_call_needs():
    """A program that imports more than it calls starts as fast as it can."""
    late = ["argparse", "difflib", "mist.config.locate", "tomllib"]
    code = (
        "import sys; given = {*sys.modules}; import mist.config; "
        f"print([m for m in {late} if m in sys.modules and m not in given])"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
