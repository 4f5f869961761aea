"""A release that would do harm is refused, with the place and the remedy."""

import pytest


@pytest.fixture
def refused(monorepo, capsys):
    """Run the command, expect a refusal, and give what it says."""

    def run(*argv):
        capsys.readouterr()
        assert monorepo.release(*argv) == 1
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return run


def test_a_section_that_is_still_unreleased(refused):
    """The heading is named by its line, and the command that closes it."""
    assert refused("make", "mist-base") == [
        "packages/mist-base/CHANGELOG.md:3: the section of 0.1.0 still says unreleased",
        "    remedy: hatch run release prepare mist-base 0.1.0",
    ]


@pytest.mark.parametrize(
    ("changelog", "told"),
    [
        ("", ":1: no section for mist-base 0.1.0"),
        ("## 0.0.9 (2026-01-31)\n\n- Old.\n", ":1: no section for mist-base 0.1.0"),
        ("## 0.1.0\n\n- New.\n", ":1: the heading has no date"),
        ("## 0.1.0 (soon)\n\n- New.\n", ":1: the heading has no date"),
        ("## 0.1.0 (2026-01-31)\n\n", ":1: nothing is written about 0.1.0"),
        (
            "## 0.2.0 (unreleased)\n\n- Newer.\n\n## 0.1.0 (2026-01-31)\n\n- New.\n",
            ":1: 0.2.0 stands above the section of 0.1.0",
        ),
    ],
)
def test_a_changelog_that_does_not_tell_of_the_version(monorepo, refused, changelog, told):
    """Missing, undated, empty, or below a newer one."""
    monorepo.write("packages/mist-base/CHANGELOG.md", changelog)
    monorepo.commit("Write")
    first, remedy = refused("make", "mist-base")
    assert first == f"packages/mist-base/CHANGELOG.md{told}"
    assert remedy.startswith("    remedy: ")


def test_what_is_in_no_commit(monorepo, refused):
    """Edited and new files would be missing from what is built from the commit."""
    monorepo.released("mist-base")
    monorepo.write("packages/mist-top/new.py", "")
    monorepo.change("packages/mist-base/README.md", "base", "bass")
    assert refused("make", "mist-top")[:3] == [
        "these are in no commit:",
        "       M packages/mist-base/README.md",
        "      ?? packages/mist-top/new.py",
    ]


def test_a_version_that_is_released_already(monorepo, refused):
    """The remedy is the version that what has changed meanwhile takes."""
    monorepo.released("mist-base")
    monorepo.change("packages/mist-base/src/mist/base/lines.py", "end: str", "ending: str")
    monorepo.change("packages/mist-base/src/mist/base/lines.py", "end.join", "ending.join")
    monorepo.commit("Rename a parameter")
    assert refused("make", "mist-base") == [
        "packages/mist-base/pyproject.toml:7: mist-base 0.1.0 is already released",
        (
            "    remedy: write what is new into packages/mist-base/CHANGELOG.md, then: "
            "hatch run release prepare mist-base 0.2.0"
        ),
    ]


def test_a_version_that_rises_too_little(monorepo, refused):
    """A break below 1.0 takes a new minor version; prepare says so as well as make."""
    monorepo.released("mist-base")
    monorepo.change("packages/mist-base/src/mist/base/__init__.py", '"Line", "join"', '"Line"')
    monorepo.open("mist-base", "0.1.1")
    expected = [
        (
            "packages/mist-base/pyproject.toml:7: mist-base 0.1.1 breaks what 0.1.0 offers, "
            "which takes a new minor version:"
        ),
        "      mist.base.join: public object was removed",
        "    remedy: hatch run release prepare mist-base 0.2.0, or keep what was there",
    ]
    assert refused("prepare", "mist-base", "0.1.1") == expected
    monorepo.change("packages/mist-base/pyproject.toml", '"0.1.0"', '"0.1.1"')
    monorepo.change("packages/mist-base/CHANGELOG.md", "unreleased", "2026-01-31")
    monorepo.commit("Bump by hand")
    assert refused("make", "mist-base") == expected


def test_a_sibling_that_has_not_been_released(monorepo, refused):
    """Users could not install the package: its sibling comes first, or in the same run."""
    monorepo.release("prepare", "mist-top", "0.1.0")
    monorepo.commit("Prepare")
    assert refused("make", "mist-top") == [
        (
            "packages/mist-top/pyproject.toml:12: mist-top needs siblings within ranges that hold no "
            "release yet: mist-base"
        ),
        "    remedy: release them first, or together: hatch run release make mist-base mist-top",
    ]


def test_a_range_that_excludes_a_siblings_version(monorepo, refused):
    """Both when the sibling that is excluded is released, and when the one that excludes is."""
    monorepo.released("mist-base")
    monorepo.release("prepare", "mist-top", "0.1.0")
    monorepo.open("mist-base", "0.2.0")
    assert monorepo.release("prepare", "mist-base", "0.2.0") == 0
    monorepo.commit("Prepare")
    expected = [
        (
            "packages/mist-top/pyproject.toml:12: mist-top excludes the present mist-base 0.2.0: "
            "'mist-base>=0.1,<0.2'"
        ),
        '    remedy: write "mist-base>=0.2,<0.3"',
    ]
    assert refused("make", "mist-base") == expected
    assert refused("make", "mist-top") == expected


def test_a_range_whose_lowest_release_lacks_what_is_imported(monorepo, refused):
    """The first release that has it becomes the lowest; before one has, it is to be made."""
    monorepo.released("mist-base")
    monorepo.change("packages/mist-base/src/mist/base/__init__.py", '"join"', '"join", "split"')
    monorepo.change(
        "packages/mist-base/src/mist/base/__init__.py", "Line, join\n\n", "Line, join, split\n\n"
    )
    with (monorepo.root / "packages/mist-base/src/mist/base/lines.py").open("a") as file:
        file.write("\n\ndef split(text: str) -> list[str]:\n    return text.splitlines()\n")
    monorepo.write(
        "packages/mist-top/src/mist/top/__init__.py", "from mist.base import join, split\n"
    )
    monorepo.release("prepare", "mist-top", "0.1.0")
    monorepo.commit("Split")
    wrong = (
        "packages/mist-top/src/mist/top/__init__.py:1: mist-top imports mist.base.split, which "
        "mist-base 0.1.0 lacks, and 'mist-base>=0.1,<0.2' admits that one"
    )
    assert refused("make", "mist-top") == [
        wrong,
        "    remedy: no release has it yet: release mist-base, then write that as the lowest",
    ]
    monorepo.released("mist-base", "0.1.1")
    assert refused("make", "mist-top") == [
        wrong,
        '    remedy: write "mist-base>=0.1.1,<0.2"',
    ]


def test_another_branch_and_commits_that_are_not_pushed(monorepo, refused, tmp_path):
    """A tag names a commit of main that everybody has."""
    monorepo.released("mist-base")
    monorepo.open("mist-base", "0.1.1")
    monorepo.release("prepare", "mist-base", "0.1.1")
    monorepo.git("switch", "--quiet", "--create", "side")
    monorepo.commit("Prepare")
    assert refused("make", "mist-base", "--tag") == [
        "this is the branch side, not main",
        "    remedy: merge it, and release from there: git switch main",
    ]
    monorepo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin"))
    monorepo.git("remote", "add", "origin", str(tmp_path / "origin"))
    monorepo.git("fetch", "--quiet", "origin")
    monorepo.git("switch", "--quiet", "main")
    monorepo.git("merge", "--quiet", "side")
    assert refused("make", "mist-base", "--tag") == [
        "main has commits that origin does not",
        "    remedy: git push origin main",
    ]
    monorepo.git("switch", "--quiet", "--detach", "main")
    assert refused("make", "mist-base", "--tag")[0] == "this is no branch, not main"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("make", "mist-gone"), "no distribution 'mist-gone' here; there are mist-base, mist-top"),
        (("prepare", "mist-base", "0.2"), "'0.2' is not a version to release"),
        (("prepare", "mist-base", "v0.2.0"), "'v0.2.0' is not a version to release"),
        (("prepare", "mist-base", "0.2.0+here"), "'0.2.0+here' is not a version to release"),
        (("prepare", "mist-base", "new"), "'new' is not a version to release"),
        (("build", "v0.1.0"), "'v0.1.0' is not the tag of a release"),
        (("build", "mist-base-0.1.0"), "'mist-base-0.1.0' is not the tag of a release"),
        (("build", "mist-gone-v0.1.0"), "no distribution 'mist-gone' here"),
        (("api", "--against", "gone"), "there is no revision 'gone' here"),
    ],
)
def test_words_that_name_nothing(refused, argv, told):
    """A wrong package, version, tag or revision is told with what is right."""
    assert refused(*argv)[0].startswith(told)


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("mist-base-v0.2.0", "the tag says 0.2.0, packages/mist-base/pyproject.toml says 0.1.0"),
        ("mist-top-v0.1.0", "there is no tag mist-top-v0.1.0 here"),
        ("mist-base-v0.1.0", "mist-base-v0.1.0 is not the tag of "),
    ],
)
def test_a_tag_that_is_not_what_is_checked_out(monorepo, refused, tag, told):
    """The workflow builds what the tag says, or nothing."""
    monorepo.git("tag", "mist-base-v0.1.0")
    monorepo.git("tag", "mist-base-v0.2.0")
    monorepo.git("commit", "--quiet", "--allow-empty", "--message", "More")
    assert refused("build", tag)[0].startswith(told)


def test_a_tag_beside_main(monorepo, refused):
    """A tag of a commit that was never merged is not built."""
    monorepo.git("switch", "--quiet", "--create", "side")
    monorepo.released("mist-base")
    monorepo.git("checkout", "--quiet", "mist-base-v0.1.0")
    first, remedy = refused("build", "mist-base-v0.1.0")
    assert first.endswith(" is not part of main")
    assert remedy == "    remedy: merge it into main first, and tag what came of it"


def test_a_release_that_nobody_made(monorepo, refused, tmp_path):
    """Testing takes exactly one wheel and one sdist."""
    monorepo.released("mist-base")
    assert refused("test", "mist-base-v0.1.0", "--out", str(tmp_path))[0] == (
        f"{tmp_path / 'dist'} does not hold exactly one wheel and one sdist"
    )
