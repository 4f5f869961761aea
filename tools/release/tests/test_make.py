"""A release is the same bytes wherever it is built, tried alone, laid out, and tagged here only."""

import asyncio
import datetime as dt
import hashlib
import json
import tarfile
import time
import zipfile

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from tools.release.build import build_one, files
from tools.release.checks import candidates
from tools.release.repository import Repository
from tools.release.sbom import SCHEMA, sbom
from tools.release.tests.conftest import DAY
from tools.workspace import Workspace


def candidate_in(root, name="mist-base"):
    """Take a package of a repository."""
    (found,) = candidates(Repository(root), Workspace.load(root), [name])
    return found


def test_the_same_commit_gives_the_same_bytes(monorepo, tmp_path, monkeypatch):
    """From two clones in different folders, at different times, in different time zones."""
    monorepo.released("mist-base")
    sums = []
    for place, zone in (("one", "UTC"), ("another/place", "Asia/Tokyo")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        clone = tmp_path / place / "clone"
        monorepo.git("clone", "--quiet", str(monorepo.root), str(clone))
        candidate = candidate_in(clone)
        built = files(asyncio.run(build_one(candidate, tmp_path / place / "work")))
        bill = sbom(candidate, built)
        sums.append((built.sums(), hashlib.sha256(bill.encode()).hexdigest()))
        noon = dt.datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=dt.UTC)
        with zipfile.ZipFile(built.wheel) as wheel, tarfile.open(built.sdist) as sdist:
            assert {info.date_time for info in wheel.infolist()} == {noon.timetuple()[:6]}
            assert {member.mtime for member in sdist} == {noon.timestamp()}
    monkeypatch.undo()
    time.tzset()
    assert sums[0] == sums[1]
    assert sorted(sums[0][0]) == ["mist_base-0.1.0-py3-none-any.whl", "mist_base-0.1.0.tar.gz"]


def test_a_build_that_is_not_the_same_twice_is_refused(monorepo, capsys):
    """A time that gets into the wheel is found before anything is published."""
    monorepo.write(
        "packages/mist-base/hatch_build.py",
        "import time, pathlib\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        "        path = pathlib.Path(self.root, 'src/mist/base/built.py')\n"
        "        path.write_text(f'AT = {time.time_ns()}')\n",
    )
    with (monorepo.root / "packages/mist-base/pyproject.toml").open("a") as file:
        file.write("[tool.hatch.build.hooks.custom]\n")
    monorepo.released("mist-base", "0.1.0")
    monorepo.git("tag", "--delete", "mist-base-v0.1.0")
    assert monorepo.release("make", "mist-base", "--out", str(monorepo.root / "dist")) == 1
    assert "building mist-base-v0.1.0 twice gave different files: " in capsys.readouterr().err
    assert not (monorepo.root / "dist").exists()


def test_a_bill_of_materials_is_valid_and_names_what_is_declared(monorepo, tmp_path):
    """By the schema of CycloneDX, with the wheel's hash and every declared requirement."""
    monorepo.released("mist-base")
    monorepo.released("mist-top")
    monorepo.change(
        "packages/mist-top/pyproject.toml",
        '<0.2"]',
        '<0.2"]\n[project.optional-dependencies]\nfast = ["msgspec>=0.20", "uvloop>=0.21; sys_platform != \'win32\'"]',
    )
    monorepo.released("mist-top", "0.1.1")
    candidate = candidate_in(monorepo.root, "mist-top")
    built = files(asyncio.run(build_one(candidate, tmp_path / "work")))
    text = sbom(candidate, built)
    assert JsonStrictValidator(SCHEMA).validate_str(text) is None
    bill = json.loads(text)
    main = bill["metadata"]["component"]
    assert (main["purl"], main["licenses"][0]["expression"]) == ("pkg:pypi/mist-top@0.1.1", "MIT")
    assert main["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(built.wheel.read_bytes()).hexdigest()}
    ]
    assert bill["metadata"]["timestamp"] == f"{DAY}T12:00:00+00:00"
    declared = {
        each["name"]: (each["scope"], [p["value"] for p in each["properties"]])
        for each in bill["components"]
    }
    assert declared == {
        "mist-base": ("required", ["mist-base<0.2,>=0.1"]),
        "msgspec": ("optional", ["msgspec>=0.20; extra == 'fast'"]),
        "uvloop": ("optional", ["uvloop>=0.21; (sys_platform != 'win32') and extra == 'fast'"]),
    }
    (edges,) = [each for each in bill["dependencies"] if each["ref"] == main["bom-ref"]]
    assert sorted(edges["dependsOn"]) == [f"pkg:pypi/{name}" for name in sorted(declared)]


def test_a_release_from_prepared_to_tagged_to_built_again(monorepo, capsys):
    """A dry run tags nothing; --tag does; what the tag builds and tests is the very same."""
    out = monorepo.root / "dist"
    monorepo.release("prepare", "mist-top", "0.1.0", "--date", str(DAY))
    monorepo.release("prepare", "mist-base", "0.1.0", "--date", str(DAY))
    monorepo.commit("Prepare")
    capsys.readouterr()
    assert monorepo.release("make", "mist-top", "mist-base", "--tag", "--out", str(out)) == 0
    told = capsys.readouterr().out
    assert monorepo.git("tag").split() == ["mist-base-v0.1.0", "mist-top-v0.1.0"]
    assert told.index("mist-base-v0.1.0 at ") < told.index("mist-top-v0.1.0 at ")
    assert told.splitlines()[-2:] == [
        "  git push origin mist-base-v0.1.0",
        "  git push origin mist-top-v0.1.0",
    ]
    assert "  | - mist-top.\n" in told
    assert monorepo.git("tag", "--list", "--format=%(contents)", "mist-top-v0.1.0").strip() == (
        "mist-top 0.1.0\n\n- mist-top."
    )
    laid = out / "mist-top-v0.1.0"
    held = {path.relative_to(laid).as_posix() for path in laid.rglob("*") if path.is_file()}
    assert held == {
        "dist/mist_top-0.1.0-py3-none-any.whl",
        "dist/mist_top-0.1.0.tar.gz",
        "papers/SHA256SUMS",
        "papers/mist_top-0.1.0-py3-none-any.cdx.json",
        "papers/notes.md",
    }
    for line in (laid / "papers/SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((laid / "dist" / name).read_bytes()).hexdigest() == digest
        assert digest in told
    again = out / "again"
    assert monorepo.release("build", "mist-top-v0.1.0", "--out", str(again)) == 0
    for name in held:
        assert (again / name).read_bytes() == (laid / name).read_bytes()
    assert monorepo.release("test", "mist-top-v0.1.0", "--out", str(again)) == 0
    (again / "dist/mist_top-0.1.0.tar.gz").write_bytes(b"other")
    capsys.readouterr()
    assert monorepo.release("test", "mist-top-v0.1.0", "--out", str(again)) == 1
    assert "gave different files: mist_top-0.1.0.tar.gz" in capsys.readouterr().err


def test_a_dry_run_shows_a_release_and_tags_nothing(monorepo, capsys):
    """From a branch too, though it says that tags are made on main."""
    monorepo.release("prepare", "mist-base", "0.1.0")
    monorepo.git("switch", "--quiet", "--create", "side")
    monorepo.commit("Prepare")
    assert monorepo.release("make", "mist-base", "--out", str(monorepo.root / "dist")) == 1
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "this is the branch side, not main",
        "    remedy: merge it, and release from there: git switch main",
        "A dry run: nothing is tagged, nothing has left this machine. --tag makes the tags.",
    ]
    assert monorepo.git("tag") == ""


def test_the_oldest_admitted_sibling_is_tried_too(monorepo, capsys):
    """A wheel that only works beside the newest sibling fails, and no tag is made."""
    monorepo.released("mist-base")
    monorepo.change("packages/mist-base/src/mist/base/lines.py", "return end", "return '' + end")
    monorepo.released("mist-base", "0.1.1")
    monorepo.write(
        "packages/mist-top/tests/test_top.py",
        "from importlib import metadata\n\n"
        "def test_it():\n    assert metadata.version('mist-base') == '0.1.1'\n",
    )
    monorepo.release("prepare", "mist-top", "0.1.0")
    monorepo.commit("Prepare")
    capsys.readouterr()
    out = str(monorepo.root / "dist")
    assert monorepo.release("make", "mist-top", "--tag", "--out", out) == 1
    told = capsys.readouterr().out
    assert "assert '0.1.0' == '0.1.1'" in told
    assert [
        line.split()[-1] for line in told.splitlines() if ".whl  " in line and "mist-top " in line
    ] == ["ok", "FAILED"]
    assert told.splitlines()[-1] == "Nothing is tagged: tests failed."
    assert "mist-top" not in monorepo.git("tag")
