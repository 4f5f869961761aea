"""A tag publishes one package: what was built is what is tested, and what is tested is published."""

import fnmatch
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from tools.workspace import ROOT, Workspace

PATH = ROOT / ".github/workflows/release.yml"
TEXT = PATH.read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
CI = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
BASH = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="the scripts run on Linux"
)
PACKAGES = list(Workspace.load().distributions)


def uses(job, action):
    """Find the steps of a job that use an action."""
    return [s for s in JOBS[job]["steps"] if s.get("uses", "").startswith(f"{action}@")]


def test_it_runs_for_tags_of_releases_and_for_nothing_else():
    """Every package's tag starts it; YAML reads the key `on` as true."""
    (event,) = WORKFLOW[True].items()
    assert event == ("push", {"tags": ["mist-v*", "mist-*-v*"]})

    def starts(tag):
        return any(fnmatch.fnmatchcase(tag, pattern) for pattern in event[1]["tags"])

    assert [name for name in PACKAGES if not starts(f"{name}-v0.2.0")] == []
    assert not any(map(starts, ["v0.2.0", "mist-retry-0.2.0", "retry-v0.2.0"]))


@BASH
@pytest.mark.parametrize("package", PACKAGES)
def test_a_tag_gives_its_package_version_and_environment(package, tmp_path):
    """The script that takes a tag apart, run on each package's tag as GitHub would."""
    (step,) = [step for step in JOBS["build"]["steps"] if step.get("id") == "name"]
    output = tmp_path / "output"
    subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        env={
            "TAG": f"{package}-v0.2.0rc1",
            "GITHUB_OUTPUT": str(output),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        },
        check=True,
        capture_output=True,
    )
    assert output.read_text().splitlines() == [f"package={package}", "version=0.2.0rc1"]
    assert JOBS["publish"]["environment"] == {"name": "release-${{ needs.build.outputs.package }}"}


def test_only_the_job_that_publishes_can_prove_who_it_is():
    """Nothing by default; the identity only where nothing of the repository runs."""
    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "build": {"contents": "read"},
        "test": {"contents": "read"},
        "publish": {"id-token": "write", "attestations": "write"},
        "announce": {"contents": "write"},
    }
    for name in ("publish", "announce"):
        assert uses(name, "actions/checkout") == []
        assert not any(
            "hatch" in s.get("run", "") or "pip" in s.get("run", "") for s in JOBS[name]["steps"]
        )
    assert "secrets." not in TEXT
    assert not any(
        word in str(uses("publish", "pypa/gh-action-pypi-publish")) for word in ("password", "user")
    )


def test_what_is_published_is_what_was_built_and_tested():
    """Each job takes the one artifact by its id, and waits for the one before."""
    assert [JOBS[name].get("needs") for name in ("build", "test", "publish", "announce")] == [
        None,
        "build",
        ["build", "test"],
        ["build", "publish"],
    ]
    (keep,) = uses("build", "actions/upload-artifact")
    assert (
        JOBS["build"]["outputs"]["artifact"] == f"${{{{ steps.{keep['id']}.outputs.artifact-id }}}}"
    )
    for name in ("test", "publish", "announce"):
        (take,) = uses(name, "actions/download-artifact")
        assert take["with"] == {
            "artifact-ids": "${{ needs.build.outputs.artifact }}",
            "path": keep["with"]["path"],
        }
    (publish,) = uses("publish", "pypa/gh-action-pypi-publish")
    assert publish["with"]["packages-dir"] == f"{keep['with']['path']}dist/"
    (attest,) = uses("publish", "actions/attest-build-provenance")
    assert attest["with"]["subject-path"] == f"{keep['with']['path']}dist/*"
    steps = JOBS["publish"]["steps"]
    check = next(n for n, step in enumerate(steps) if "sha256sum --check" in step.get("run", ""))
    assert check < steps.index(attest) < steps.index(publish)


@pytest.mark.parametrize(("job", "command"), [("build", "build"), ("test", "test")])
def test_it_runs_commands_that_there_are(job, command):
    """The command line is one that tools/release understands."""
    from tools.release.__main__ import _parse

    (line,) = [s["run"] for s in JOBS[job]["steps"] if "hatch run" in s.get("run", "")]
    words = shlex.split(line)
    assert words[:4] == ["hatch", "run", "release:run", command]
    options = _parse(words[3:])
    assert (options.of, str(options.out)) == ("$TAG", "release")


def test_it_tests_on_the_pythons_of_continuous_integration():
    """A release is held to what a change is held to."""
    wanted = yaml.safe_load(CI)["jobs"]["package"]["strategy"]["matrix"]["python"]
    assert JOBS["test"]["strategy"]["matrix"]["python"] == wanted


def test_actions_are_pinned_and_agree_with_continuous_integration():
    """By full commit with the version beside it, and by the same commit in both workflows."""
    pin = re.compile(r"uses: ([\w.-]+/[\w.-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$", re.MULTILINE)
    pins = pin.findall(TEXT)
    assert len(pins) == sum("uses" in step for step in STEPS) == TEXT.count("uses:")
    assert len({action for action, _ in pins}) == len(set(pins))
    ours, theirs = dict(pins), dict(pin.findall(CI))
    assert {action: ours[action] for action in ours.keys() & theirs} == {
        action: theirs[action] for action in ours.keys() & theirs
    }
    for step in STEPS:
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"] == {"fetch-depth": 0, "persist-credentials": False}


def test_expressions_stay_out_of_scripts():
    """A script reads the environment, so that no tag's name becomes code."""
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []
    assert all("timeout-minutes" in job for job in JOBS.values())


@BASH
def test_every_script_is_sound_bash():
    """What only runs at a release is at least read before."""
    for step in STEPS:
        if "run" in step:
            read = subprocess.run(
                ["bash", "-n", "-c", step["run"]], check=False, capture_output=True
            )
            assert (read.returncode, read.stderr) == (0, b"")


@BASH
@pytest.mark.parametrize(
    ("tag", "early"), [("mist-v0.2.0", "false"), ("mist-retry-v0.2.0rc1", "true")]
)
def test_the_release_page_holds_everything(tag, early, tmp_path):
    """The last script, with a `gh` that writes down how it was called."""
    (script,) = [step["run"] for step in JOBS["announce"]["steps"] if "run" in step]
    for name in ("dist/a.whl", "dist/a.tar.gz", "papers/a.cdx.json", "papers/SHA256SUMS"):
        (tmp_path / "release" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "release" / name).touch()
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    gh.chmod(0o755)
    ran = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env={"TAG": tag, "TITLE": "a title", "PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.splitlines() == [
        *("release", "create", tag, "--verify-tag", "--latest=false", f"--prerelease={early}"),
        *("--title", "a title", "--notes-file", "release/papers/notes.md"),
        *("release/dist/a.tar.gz", "release/dist/a.whl"),
        *("release/papers/a.cdx.json", "release/papers/SHA256SUMS"),
    ]
