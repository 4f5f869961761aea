"""The coverage command counts what a package's own tests reach, and refuses too little."""

import pytest

from tools.coverage.__main__ import main
from tools.workspace import ROOT

SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
pythonpath = ["packages/mist-base/src", "packages/mist-top/src"]
"""
SIGN = """\
def sign(number):
    if number < 0:
        return "-"
    return "+"
"""
BOTH = """\
from mist.base import sign

def test_both():
    assert sign(-1) + sign(1) == "-+"
"""
ONE = """\
from mist.base import sign

def test_one():
    assert sign(1) == "+"
"""


@pytest.fixture
def coverage(tmp_path, capsys, monkeypatch):
    """Write distributions, each a module and its tests, and run the command on them."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they would start for nothing
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    real = text[text.index("[tool.coverage.run]") : text.index("[tool.ruff]")]
    (tmp_path / "pyproject.toml").write_text(SETTINGS + real)

    def run(*argv, **packages):
        for name, (module, tests) in packages.items():
            package = tmp_path / f"packages/mist-{name}"
            (package / f"src/mist/{name}").mkdir(parents=True)
            (package / "tests").mkdir()
            (package / "pyproject.toml").write_text(
                f'[project]\nname = "mist-{name}"\nversion = "0.1.0"\n'
            )
            (package / f"src/mist/{name}/__init__.py").write_text(module)
            (package / f"tests/test_{name}.py").write_text(tests)
        status = main(["--root", str(tmp_path), *argv])
        return status, capsys.readouterr()

    return run


def row(name, out):
    """Read a package's row of the table."""
    (line,) = (line for line in out.splitlines() if line.startswith(f"{name} "))
    return line.split()[1:]


def test_what_is_reached_is_enough(coverage):
    """A package whose tests reach every line and branch passes."""
    status, printed = coverage(base=(SIGN, BOTH))
    assert row("mist-base", printed.out) == ["100.0%", "of", "4", "100.0%", "of", "2", "ok"]
    assert "1 packages, 0 below 95% of lines and of branches" in printed.out
    assert status == 0


def test_what_is_missed_is_named(coverage):
    """A package below the floor fails, and the table says where."""
    status, printed = coverage(base=(SIGN, ONE))
    assert row("mist-base", printed.out) == ["75.0%", "of", "4", "50.0%", "of", "2", "FAILED"]
    assert "  packages/mist-base/src/mist/base/__init__.py: 3\n" in printed.out
    assert status == 1
    assert coverage("--floor", "50")[0] == 0


def test_a_missed_branch_between_reached_lines_is_named(coverage):
    """Lines are not enough: a condition that was never false is missed."""
    module = "def f(n):\n    if n:\n        n += 1\n    return n\n"
    tests = "from mist.base import f\n\ndef test_it():\n    assert f(1) == 2\n"
    status, printed = coverage(base=(module, tests))
    assert "mist/base/__init__.py: 2->4\n" in printed.out
    assert status == 1


def test_somebody_elses_tests_do_not_count(coverage):
    """What only the tests of another package reach is missed."""
    nothing = "def test_nothing():\n    pass\n"
    status, printed = coverage(base=(SIGN, nothing), top=("import mist.base\n", BOTH))
    assert row("mist-base", printed.out)[:3] == ["0.0%", "of", "4"]
    assert status == 1


def test_threads_and_child_processes_count(coverage):
    """Code is reached wherever the tests run it."""
    tests = """\
import subprocess, sys, threading
from mist.base import sign

def test_in_a_thread():
    thread = threading.Thread(target=sign, args=(1,))
    thread.start()
    thread.join()

def test_in_a_process():
    program = "import sys; sys.path[:0] = sys.argv[1:]; from mist.base import sign; sign(-1)"
    subprocess.run([sys.executable, "-c", program, "packages/mist-base/src"], check=True)
"""
    status, printed = coverage(base=(SIGN, tests))
    assert row("mist-base", printed.out)[-1] == "ok", printed.out
    assert status == 0


def test_a_failing_test_is_shown(coverage):
    """What failed tests reached is no measure, and their output is not hidden."""
    status, printed = coverage(base=(SIGN, BOTH.replace("-+", "+-")))
    assert "assert '-+' == '+-'" in printed.out
    assert row("mist-base", printed.out)[-1] == "FAILED"
    assert status == 1


def test_tests_that_do_not_start_are_shown(coverage):
    """A package whose tests cannot be collected fails, with what pytest said."""
    status, printed = coverage(base=(SIGN, "import nothing_of_this_name\n"))
    assert "No module named 'nothing_of_this_name'" in printed.out + printed.err
    assert status == 1


def test_no_jobs_at_a_time_is_no_number(coverage, capsys):
    """With none at a time nothing would ever end."""
    with pytest.raises(SystemExit):
        coverage("--jobs", "0", base=(SIGN, BOTH))
    assert "argument --jobs: expected 1 or more, got '0'" in capsys.readouterr().err


def test_a_wrong_name_is_named(coverage):
    """What is not there is said before anything runs."""
    status, printed = coverage("mist-gone", base=(SIGN, BOTH))
    assert printed.err == "no distribution 'mist-gone' here; there are mist-base\n"
    assert status == 1
