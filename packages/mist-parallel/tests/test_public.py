"""The package is what its front page says."""

import subprocess
import sys
import types

import mist.parallel


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.parallel).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.parallel.__all__) == public


def test_public_objects_carry_the_public_module():
    """No private module shows in a repr or a traceback."""
    for name in mist.parallel.__all__:
        assert getattr(mist.parallel, name).__module__ == "mist.parallel"


def test_importing_leaves_what_works_alone():
    """The event loop and the executors are loaded when there are inputs to work on."""
    heavy = "{'asyncio', 'concurrent.futures', 'multiprocessing', 'inspect', 'logging'}"

    def loaded(program: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", f"{program}; print(sorted({heavy} & set(sys.modules)))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert loaded("import sys, mist.parallel") == loaded("import sys")


def test_the_readme_examples_run(readme_examples):
    """Each example of the README does what its assertions say."""
    assert readme_examples
    for example in readme_examples:
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
