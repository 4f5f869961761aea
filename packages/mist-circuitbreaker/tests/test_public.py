"""The package is what its front page says."""

import subprocess
import sys
import types

import mist.circuitbreaker


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.circuitbreaker).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.circuitbreaker.__all__) == public


def test_public_objects_carry_the_public_module():
    """No private module shows in a repr or a traceback."""
    for name in mist.circuitbreaker.__all__:
        assert getattr(mist.circuitbreaker, name).__module__ == "mist.circuitbreaker"


def test_importing_takes_nothing_heavy_along():
    """The import leaves asyncio, typing, inspect, logging and threading alone."""
    heavy = "{'asyncio', 'typing', 'inspect', 'logging', 'dataclasses', 'threading'}"

    def loaded(program: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", f"{program}; print(sorted({heavy} & set(sys.modules)))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert loaded("import sys, mist.circuitbreaker") == loaded("import sys")


def test_the_readme_example_runs(readme_example):
    """The example of the README does what its assertions say."""
    exec(compile(readme_example, "README.md", "exec"), {"__name__": "readme"})
