"""What the architecture says of the whole repository, held against the repository."""

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest

from tools.graph.architecture import TABLE, Architecture
from tools.graph.check import check
from tools.graph.providers import Providers
from tools.graph.written import PAGE, PICTURE, written
from tools.workspace import ROOT, Workspace

WORKSPACE = Workspace.load()
ARCHITECTURE = Architecture.load(TABLE, ROOT)
STALE = {".venv", "__pycache__", "dist", "build"}


@pytest.fixture(scope="module")
def failures():
    """What the check of the whole graph finds."""
    return check(WORKSPACE, ARCHITECTURE, Providers.installed())[1]


@pytest.mark.parametrize("distribution", [*WORKSPACE], ids=lambda each: each.name)
def test_the_graph_is_what_it_says(distribution, failures):
    """Declared == imported == allowed, for every distribution."""
    here = f"{distribution.directory.relative_to(ROOT).as_posix()}/"
    own = [str(each) for each in failures if str(each.place).startswith(here)]
    assert own == []


def test_the_table_and_the_packages_are_the_same():
    """Every distribution has a row of the architecture, and every row a distribution."""
    assert set(ARCHITECTURE.rows) == set(WORKSPACE.distributions)
    assert len(WORKSPACE.distributions) == 20


def test_nothing_makes_the_namespace_a_package():
    """No `mist/__init__.py` anywhere in the repository, tests and examples included."""
    found = []
    for directory, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in STALE and not name.startswith(".")]
        if os.path.basename(directory) == "mist" and "__init__.py" in files:  # noqa: PTH119  # os.walk gives text
            found.append(directory)
    assert found == []


@pytest.mark.parametrize("distribution", WORKSPACE.with_code(), ids=lambda each: each.name)
def test_importing_a_package_loads_nothing_heavy(distribution):
    """aiohttp, uvicorn, starlette, rich and opentelemetry wait for the call that needs them."""
    code = f"import sys, json, {distribution.module}; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    loaded = {name.partition(".")[0] for name in json.loads(ran.stdout)}
    assert loaded & set(ARCHITECTURE.heavy) == set()


@pytest.mark.parametrize("distribution", [*WORKSPACE], ids=lambda each: each.name)
def test_a_distribution_carries_its_papers(distribution):
    """Each has the repository's license, a README, and a changelog that knows its version."""
    directory = distribution.directory
    assert (directory / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (
        (directory / "README.md").read_text(encoding="utf-8").startswith(f"# {distribution.name}\n")
    )
    assert f"## {distribution.version}" in (directory / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("tool", "key"), [("mypy", "mypy_path"), ("pyright", "extraPaths")])
def test_the_type_checkers_know_every_package(tool, key):
    """The lists of source directories are complete, and hold nothing that is gone."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][tool]
    listed = {each.removeprefix("$MYPY_CONFIG_FILE_DIR").lstrip("/") for each in settings[key]}
    wanted = {f"packages/{each.directory.name}/src" for each in WORKSPACE.with_code()}
    assert listed - {""} == wanted


def test_what_users_write_is_type_checked():
    """Every package has a file for it; each has a name of its own, or mypy would refuse it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert "packages/*/tests/typing_*.py" in settings["mypy"]["files"]
    assert "packages/**/typing_*.py" in settings["pyright"]["include"]
    files = [[*each.tests.glob("typing_*.py")] for each in WORKSPACE.with_code()]
    assert all(files)
    names = [path.name for each in files for path in each]
    assert len(names) == len(set(names))


def test_the_root_is_no_distribution():
    """The root's pyproject.toml holds tool tables and nothing else."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(document) == {"tool"}


@pytest.mark.parametrize("path", [PAGE, PICTURE], ids=str)
def test_the_drawn_graph_is_the_real_one(path):
    """The architecture's page and picture show the dependencies of now; `hatch run graph --write`."""
    graph, _ = check(WORKSPACE, ARCHITECTURE, Providers.installed())
    assert (ROOT / path).read_text(encoding="utf-8") == written(graph)[path]


def test_the_readme_lists_what_each_package_brings():
    """Its table has a row for every distribution, and its last column is the declared dependencies."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \[(mist[\w-]*)\]\(packages/\1/README\.md\) \| .+ \| (.+) \|$", text, re.MULTILINE
    )
    told = {
        name: set() if brings == "nothing" else set(brings.split(", ")) for name, brings in rows
    }
    assert told == {each.name: {d.name for d in each.dependencies} for each in WORKSPACE}
