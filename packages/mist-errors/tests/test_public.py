"""The package is what its front page says."""

import subprocess
import sys
import types

import mist.errors


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.errors).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.errors.__all__) == public


def test_public_objects_carry_the_public_module():
    """No private module shows in a repr or a traceback."""
    for name in mist.errors.__all__:
        value = getattr(mist.errors, name)
        if hasattr(value, "__module__"):
            assert value.__module__ == "mist.errors"


def test_importing_takes_nothing_heavy_along():
    """The import leaves asyncio, typing, pickle and http alone."""
    heavy = "{'asyncio', 'typing', 'pickle', 'http', 'json', 'copy'}"
    program = f"import sys, mist.errors; print(sorted({heavy} & set(sys.modules)))"
    with_site = subprocess.run(
        [sys.executable, "-c", f"import sys; print(sorted({heavy} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ours.stdout == with_site.stdout


def test_the_readme_example_runs(readme_example):
    """The example of the README does what its assertions say."""
    exec(compile(readme_example, "README.md", "exec"), {"__name__": "readme"})
