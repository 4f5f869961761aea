"""The status tells what changed in each package since its last tag."""


def rows(out):
    """Read the table back."""
    lines = out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("package "))
    return [line.split(maxsplit=7) for line in lines[start + 2 :]]


def test_without_a_tag_everything_is_new(monorepo, capsys):
    """Every package with all its commits and files, dependencies first."""
    assert monorepo.release("status") == 0
    assert rows(capsys.readouterr().out) == [
        ["mist-base", "0.1.0", "never", "1", "8", "0", "0", "prepare mist-base 0.1.0"],
        ["mist-top", "0.1.0", "never", "1", "7", "0", "0", "prepare mist-top 0.1.0"],
    ]


def test_since_a_tag_only_what_changed_below_the_package(monorepo, capsys):
    """Its own files and commits, what they break, and the version that takes."""
    monorepo.released("mist-base")
    monorepo.released("mist-top")
    capsys.readouterr()
    monorepo.release("status")
    assert [row[-1] for row in rows(capsys.readouterr().out)] == ["nothing to release"] * 2
    monorepo.change("packages/mist-base/src/mist/base/__init__.py", '"Line", "join"', '"Line"')
    monorepo.commit("List less")
    monorepo.write("README.md", "")
    monorepo.commit("Say nothing")
    monorepo.release("status", "mist-base", "mist-top")
    out = capsys.readouterr().out
    assert rows(out) == [
        ["mist-base", "0.1.0", "0.1.0", "1", "1", "1", "0", "prepare mist-base 0.2.0"],
        ["mist-top", "0.1.0", "0.1.0", "0", "0", "0", "0", "nothing to release"],
    ]
    assert "mist-base since mist-base-v0.1.0\n  commits\n    " in out
    assert " List less\n  breaking\n    mist.base.join: public object was removed\n" in out
    monorepo.open("mist-base", "0.2.0")
    monorepo.release("prepare", "mist-base", "0.2.0")
    capsys.readouterr()
    monorepo.release("status", "mist-base")
    assert rows(capsys.readouterr().out)[0][-1] == "make mist-base"


def test_other_tags_are_no_releases(monorepo, capsys):
    """Only `package-v1.2.3` is one."""
    for tag in ("v0.1.0", "mist-base-0.1.0", "mist-base-vnext", "mist-base-v01.0"):
        monorepo.git("tag", tag)
    monorepo.release("status")
    assert [row[2] for row in rows(capsys.readouterr().out)] == ["never", "never"]


def test_a_circle_has_no_order(monorepo, capsys):
    """Packages that need each other cannot be released one after the other."""
    monorepo.change("packages/mist-base/pyproject.toml", '"msgspec>=0.20"', '"mist-top>=0.1,<0.2"')
    assert monorepo.release("status") == 1
    assert capsys.readouterr().err.startswith("no order of releases: mist-")
