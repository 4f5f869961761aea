"""Continuous integration runs everything, on everything, and one check tells of it."""

import json
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from tools.workspace import ROOT

TEXT = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def test_the_matrix_is_made_from_the_packages_that_exist():
    """The listing job prints the distributions with code, and the matrix reads it."""
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "tools.matrix"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(ran.stdout) == [
        path.name
        for path in sorted((ROOT / "packages").iterdir())
        if any(path.glob("src/mist/*/__init__.py"))
    ]
    matrix = JOBS["package"]["strategy"]["matrix"]
    assert matrix["package"] == "${{ fromJSON(needs.packages.outputs.packages) }}"


def test_the_matrix_covers_the_pythons_of_the_test_environments():
    """CI and `hatch run test:run` name the same Pythons, on three operating systems."""
    hatch = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))
    (local,) = hatch["envs"]["test"]["matrix"]
    matrix = JOBS["package"]["strategy"]["matrix"]
    assert [f"python{each}" for each in matrix["python"]] == local["python"]
    assert {each.partition("-")[0] for each in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_one_check_waits_for_every_job():
    """The aggregate check runs always and needs all others."""
    assert set(JOBS["check"]["needs"]) == set(JOBS) - {"check"}
    assert JOBS["check"]["if"] == "always()"


@pytest.mark.parametrize(
    ("results", "status"),
    [
        (["success", "success"], 0),
        (["success", "failure"], 1),
        (["success", "skipped"], 1),
        (["cancelled", "success"], 1),
    ],
)
def test_the_check_fails_unless_all_succeeded(results, status):
    """The script of the aggregate check, run on what GitHub would hand it."""
    (step,) = JOBS["check"]["steps"]
    needs = {f"job{n}": {"result": result} for n, result in enumerate(results)}
    try:
        ran = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            env={"NEEDS": json.dumps(needs), "PATH": "/usr/local/bin:/usr/bin:/bin"},
            check=False,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("no bash on this machine")
    if b"jq: command not found" in ran.stderr:
        pytest.skip("no jq on this machine")
    assert ran.returncode == status


@pytest.mark.parametrize(
    "command", ["test", "cov", "lint", "graph", "isolate", "docs:build", "fuzz"]
)
def test_every_command_a_person_types_is_run(command):
    """What a person runs before a change is what CI runs after it."""
    assert any(f"hatch run {command}" in step.get("run", "") for step in STEPS)


def test_actions_are_pinned_and_permissions_least():
    """Actions by full commit, nothing but read access, no credentials left in the checkout."""
    for step in STEPS:
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"])
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all(job.get("permissions", {}) == {} for job in JOBS.values())
    assert all("timeout-minutes" in job for job in JOBS.values())


def test_expressions_stay_out_of_scripts():
    """A script reads the environment, so that no name of a branch or package becomes code."""
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []
