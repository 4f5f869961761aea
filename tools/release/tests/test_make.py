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

from tools.release.build import Files, build_alone, sha256
from tools.release.checks import candidates, check_before_tag, tagged
from tools.release.make import Made, conclude
from tools.release.refusal import Refused
from tools.release.repository import Repository
from tools.release.resolve import resolve
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
    set_zone = getattr(time, "tzset", lambda: None)  # Windows has none
    sums = []
    for place, zone in (("one", "UTC"), ("another/place", "Asia/Tokyo")):
        monkeypatch.setenv("TZ", zone)
        set_zone()
        clone = tmp_path / place / "clone"
        monorepo.git("clone", "--quiet", str(monorepo.root), str(clone))
        candidate = candidate_in(clone)
        built = asyncio.run(build_alone(candidate, tmp_path / place / "work"))
        bill = sbom(candidate, built)
        sums.append((built.sums(), bill))
        noon = dt.datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=dt.UTC)
        with zipfile.ZipFile(built.wheel) as wheel, tarfile.open(built.sdist) as sdist:
            assert {info.date_time for info in wheel.infolist()} == {noon.timetuple()[:6]}
            assert {member.mtime for member in sdist} == {noon.timestamp()}
    monkeypatch.undo()
    set_zone()
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
    assert "building mist-base-v0.1.0 again gave different files: " in capsys.readouterr().err
    assert not (monorepo.root / "dist").exists()


METADATA = """\
Metadata-Version: 2.4
Name: mist-base
Version: 0.1.0
Summary: One of a few.
License-Expression: MIT
Requires-Python: >=3.11
Provides-Extra: fast
Requires-Dist: msgspec>=0.20
Requires-Dist: msgspec>=0.21; extra == 'fast'
Requires-Dist: uvloop>=0.21; (sys_platform != 'win32') and extra == 'fast'
"""


def test_a_bill_of_materials_is_valid_and_names_what_is_declared(monorepo, tmp_path):
    """By the schema of CycloneDX, with the wheel's hash and every declared requirement."""
    wheel = tmp_path / "mist_base-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("mist_base-0.1.0.dist-info/METADATA", METADATA)
    text = sbom(candidate_in(monorepo.root), Files(wheel, wheel))
    assert JsonStrictValidator(SCHEMA).validate_str(text) is None
    bill = json.loads(text)
    main = bill["metadata"]["component"]
    assert (main["purl"], main["licenses"][0]["expression"]) == ("pkg:pypi/mist-base@0.1.0", "MIT")
    assert main["hashes"] == [{"alg": "SHA-256", "content": sha256(wheel)}]
    assert bill["metadata"]["timestamp"] == f"{DAY}T12:00:00+00:00"
    declared = {
        each["name"]: (each["scope"], [p["value"] for p in each["properties"]])
        for each in bill["components"]
    }
    assert declared == {
        "msgspec": ("required", ["msgspec>=0.20", "msgspec>=0.21; extra == 'fast'"]),
        "uvloop": ("optional", ["uvloop>=0.21; (sys_platform != 'win32') and extra == 'fast'"]),
    }
    (edges,) = [each for each in bill["dependencies"] if each["ref"] == main["bom-ref"]]
    assert edges["dependsOn"] == ["pkg:pypi/msgspec", "pkg:pypi/uvloop"]


def test_a_release_from_prepared_to_tagged_to_built_from_its_tag(monorepo, capsys, tmp_path):
    """Tried beside the newest and the oldest sibling; the tag builds to the very same files."""
    monorepo.released("mist-base")
    monorepo.change("packages/mist-base/src/mist/base/lines.py", "return end", "return '' + end")
    monorepo.released("mist-base", "0.1.1")
    seen = tmp_path / "seen"
    monorepo.write(
        "packages/mist-top/tests/test_top.py",
        "from importlib import metadata\n\n"
        f"def test_it():\n    with open({str(seen)!r}, 'a') as file:\n"
        "        print(metadata.version('mist-base'), file=file)\n",
    )
    monorepo.release("prepare", "mist-top", "0.1.0", "--date", str(DAY))
    monorepo.commit("Prepare")
    capsys.readouterr()
    out = tmp_path / "out"
    assert monorepo.release("make", "mist-top", "--tag", "--out", str(out)) == 0
    assert seen.read_text().split() == ["0.1.1", "0.1.0"]
    told = capsys.readouterr().out
    assert "  | - mist-top.\n" in told
    assert told.splitlines()[-2:] == [
        "Tagged here. Pushing a tag publishes its package; one by one, in this order:",
        "  git push origin mist-top-v0.1.0",
    ]
    assert monorepo.git("tag", "--list", "--format=%(contents)", "mist-top-v0.1.0").strip() == (
        "mist-top 0.1.0\n\n- mist-top."
    )
    held = laid_out(out / "mist-top-v0.1.0")
    assert held.keys() == {
        "dist/mist_top-0.1.0-py3-none-any.whl",
        "dist/mist_top-0.1.0.tar.gz",
        "papers/SHA256SUMS",
        "papers/mist_top-0.1.0-py3-none-any.cdx.json",
        "papers/notes.md",
    }
    assert held["papers/SHA256SUMS"].decode() == "".join(
        f"{hashlib.sha256(held[f'dist/{name}']).hexdigest()}  {name}\n"
        for name in ("mist_top-0.1.0.tar.gz", "mist_top-0.1.0-py3-none-any.whl")
    )
    assert all(hashlib.sha256(content).hexdigest() in told for content in held.values())
    assert monorepo.release("build", "mist-top-v0.1.0", "--out", str(out / "again")) == 0
    assert laid_out(out / "again") == held


def laid_out(directory):
    """Read everything below a directory."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def test_a_folder_that_holds_something_else_is_left_alone(monorepo, capsys, tmp_path):
    """Only a release that was laid out before is replaced."""
    monorepo.released("mist-base")
    precious = tmp_path / "dist" / "precious"
    precious.parent.mkdir()
    precious.touch()
    assert monorepo.release("build", "mist-base-v0.1.0", "--out", str(tmp_path)) == 1
    assert f"{tmp_path} holds a dist or papers that is no release" in capsys.readouterr().err
    assert precious.exists()


def test_a_tag_can_be_built_again_after_later_ones(monorepo):
    """A later release of the same package is none of its business."""
    monorepo.released("mist-base")
    monorepo.released("mist-base", "0.1.1")
    monorepo.git("checkout", "--quiet", "mist-base-v0.1.0")
    candidate = tagged(monorepo.repository, monorepo.workspace, "mist-base-v0.1.0")
    assert list(candidate.check()) == []


def test_what_was_built_is_tested_from_where_it_lies(monorepo, capsys, monkeypatch):
    """As the workflow does it: one folder, named from the repository's root."""
    monorepo.released("mist-base")
    monkeypatch.chdir(monorepo.root)
    assert monorepo.release("build", "mist-base-v0.1.0", "--out", "release") == 0
    assert monorepo.release("test", "mist-base-v0.1.0", "--out", "release") == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[-1] == "ok"


def test_files_that_the_tag_does_not_build_to_are_refused(monorepo, capsys, tmp_path):
    """What was exchanged after it was built is never published."""
    monorepo.released("mist-base")
    (tmp_path / "dist").mkdir()
    for name in ("mist_base-0.1.0-py3-none-any.whl", "mist_base-0.1.0.tar.gz"):
        (tmp_path / "dist" / name).write_bytes(b"other")
    assert monorepo.release("test", "mist-base-v0.1.0", "--out", str(tmp_path)) == 1
    assert (
        "building mist-base-v0.1.0 again gave different files: "
        "mist_base-0.1.0-py3-none-any.whl, mist_base-0.1.0.tar.gz"
    ) in capsys.readouterr().err


def test_a_dry_run_says_what_stands_against_a_tag_and_makes_none(monorepo):
    """It may run on any branch."""
    monorepo.git("switch", "--quiet", "--create", "side")
    made = [Made(candidate_in(monorepo.root), ())]
    elsewhere = list(check_before_tag(monorepo.repository))
    assert list(conclude(made, elsewhere, passed=True, tag=False)) == [
        (
            "this is the branch side, not main\n"
            "    remedy: merge it, and release from there: git switch main"
        ),
        "A dry run: nothing is tagged, nothing has left this machine. --tag makes the tags.",
    ]
    assert monorepo.git("tag") == ""


def test_failed_tests_make_no_tag(monorepo):
    """Even where it is asked for."""
    made = [Made(candidate_in(monorepo.root), ())]
    assert list(conclude(made, [], passed=False, tag=True)) == ["Nothing is tagged: tests failed."]
    assert monorepo.git("tag") == ""


def test_siblings_come_in_the_newest_or_oldest_release_that_all_admit(monorepo):
    """What a sibling's own range excludes is not chosen; what nothing satisfies is named."""
    monorepo.released("mist-base")
    monorepo.released("mist-top")
    monorepo.released("mist-base", "0.1.1")
    monorepo.open("mist-base", "0.2.0")
    monorepo.release("prepare", "mist-base", "0.2.0", "--widen")
    monorepo.released("mist-base", "0.2.0")
    monorepo.distribution("mist-all", '"mist-base>=0.1,<0.3", "mist-top>=0.1,<0.2"')
    candidate = candidate_in(monorepo.root, "mist-all")
    versions = {name: str(version) for name, version in resolve(candidate).items()}
    assert versions == {"mist-base": "0.1.1", "mist-top": "0.1.0"}
    oldest = {name: str(version) for name, version in resolve(candidate, lowest=True).items()}
    assert oldest == {"mist-base": "0.1.0", "mist-top": "0.1.0"}
    monorepo.change("packages/mist-all/pyproject.toml", "mist-base>=0.1,", "mist-base>=0.2,")
    with pytest.raises(Refused, match="no release of mist-base fits mist-all and its siblings"):
        resolve(candidate_in(monorepo.root, "mist-all"))
