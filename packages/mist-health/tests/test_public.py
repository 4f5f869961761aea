"""The package is what its front page says."""

import subprocess
import sys
import types
from importlib.resources import files

import mist.health
from mist.health import HealthError, Unhealthy


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.health).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.health.__all__) == public


def test_public_objects_carry_the_public_module():
    """No private module shows in a repr or a traceback."""
    assert {getattr(mist.health, name).__module__ for name in mist.health.__all__} == {
        "mist.health"
    }


def test_package_is_typed():
    """The marker file that tells type checkers to read the annotations is there."""
    assert files("mist.health").joinpath("py.typed").is_file()


def test_importing_takes_nothing_heavy_along():
    """The import leaves asyncio and what else costs time to those who use it."""
    heavy = "{'asyncio', 'concurrent.futures', 'inspect', 'json', 're', 'typing'}"
    program = f"import sys, mist.health; print(sorted({heavy} & set(sys.modules)))"
    bare = f"import sys; print(sorted({heavy} & set(sys.modules)))"
    ours, none = (
        subprocess.run([sys.executable, "-c", each], capture_output=True, text=True, check=True)
        for each in (program, bare)
    )
    assert ours.stdout == none.stdout


def test_errors_have_a_code():
    """One of the standard codes, and a text without it."""
    assert (Unhealthy("down").code, str(Unhealthy("down"))) == ("unavailable", "down")
    assert (HealthError("wrong").code, str(HealthError("wrong"))) == ("validation", "wrong")


def test_errors_survive_a_pickle():
    """With their code."""
    import pickle

    error = pickle.loads(pickle.dumps(HealthError("none", "not_found")))
    assert (str(error), error.code) == ("none", "not_found")
