"""The package is what its front page says."""

import subprocess
import sys
import types

import mist.resource


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.resource).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.resource.__all__) == public


def test_public_objects_carry_the_public_module():
    """No private module shows in a repr or a traceback."""
    for name in mist.resource.__all__:
        assert getattr(mist.resource, name).__module__ == "mist.resource"


def test_importing_leaves_psutil_and_asyncio_alone():
    """The first measurement loads the one, and who waits in an event loop has the other."""
    heavy = "{'asyncio', 'psutil'}"
    program = (
        f"import sys; before = {heavy} & set(sys.modules); import mist.resource;"
        f" print(({heavy} & set(sys.modules)) - before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "set()\n"


def test_a_program_without_asyncio_has_no_tasks():
    """To count them does not import what they would need."""
    program = (
        "import sys; from mist.resource import task_count; before = 'asyncio' in sys.modules;"
        " print(task_count(), ('asyncio' in sys.modules) == before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "0 True\n"


def test_the_readme_example_runs(readme_example):
    """The example of the README does what its assertions say."""
    exec(compile(readme_example, "README.md", "exec"), {"__name__": "readme"})
