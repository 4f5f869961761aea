"""The package's surface: names, modules, what importing it costs."""

import json
import subprocess
import sys
from importlib.resources import files

import mist.output
from mist.output import OutputError


def test_all_names_are_public_and_claim_the_package():
    """`__all__` holds exactly the public objects, and each says that it lives in mist.output."""
    public = {
        name
        for name, value in vars(mist.output).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == "mist.output"
    }
    assert public == set(mist.output.__all__)


def test_package_is_typed():
    """The marker file that tells type checkers to read the annotations is there."""
    assert files("mist.output").joinpath("py.typed").is_file()


def test_import_loads_neither_rich_nor_json():
    """Importing the package loads nothing heavy."""
    script = (
        "import sys; given = {*sys.modules}; import mist.output; print(*{*sys.modules} - given)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"rich", "json"} & set(ran.stdout.split())


def test_ascii_output_on_a_pipe_never_loads_rich():
    """Plain tables, JSON lines and progress lines need the standard library only."""
    script = """
import sys
from mist.output import Writer, progress
with progress(1, "p") as p:
    p.advance()
Writer("table").write([{"a": 1}])
Writer().json({"rich": "rich" in sys.modules})
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout.splitlines()[-1]) == {"rich": False}


def test_the_error_has_a_standard_code_and_its_path():
    """The error agrees with exit codes and HTTP statuses by its `code`."""
    error = OutputError("wrong", "$.a")
    assert (error.code, error.path, str(error)) == ("validation", "$.a", "$.a: wrong")
