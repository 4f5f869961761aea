"""The package's surface: names, modules, what importing it costs."""

import subprocess
import sys
from importlib.resources import files

import pytest

import mist.logging


def test_all_names_are_public_and_claim_the_package():
    """`__all__` holds exactly the public objects, and each says that it lives in mist.logging."""
    lazy = {"Capture", "Logger"}
    public = {
        name
        for name, value in vars(mist.logging).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == "mist.logging"
    }
    assert public | lazy == set(mist.logging.__all__)
    assert {getattr(mist.logging, name).__module__ for name in lazy} == {"mist.logging"}


def test_a_name_that_is_not_there():
    """The module's own attribute lookup fails as any other."""
    with pytest.raises(AttributeError, match=r"'mist\.logging' has no attribute 'nothing'"):
        _ = mist.logging.nothing


def test_package_is_typed():
    """The marker file that tells type checkers to read the annotations is there."""
    assert files("mist.logging").joinpath("py.typed").is_file()


def test_import_loads_neither_structlog_nor_msgspec():
    """A command-line tool that logs nothing does not wait for them."""
    script = (
        "import sys, mist.logging;"
        "print(*(name in sys.modules for name in ('structlog', 'msgspec', 'logging')));"
        "mist.logging.new('t'); print('structlog' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False", "False", "True"]


def test_the_error_has_a_standard_code():
    """It agrees with exit codes and HTTP statuses by its `code`."""
    assert mist.logging.LoggingError("x").code == "validation"
