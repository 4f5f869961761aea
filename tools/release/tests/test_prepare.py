"""Preparing a version writes it into the files, and tells whose ranges it falls out of."""

import pytest

TOP = "packages/mist-top/pyproject.toml"


def test_a_first_version_closes_the_changelog(monorepo, capsys):
    """The version is there already; the heading gets its day."""
    assert monorepo.release("prepare", "mist-base", "0.1.0", "--date", "2026-01-31") == 0
    assert capsys.readouterr().out.splitlines() == [
        "packages/mist-base/CHANGELOG.md: ## 0.1.0 (2026-01-31)",
        "Commit this on main, then: hatch run release make mist-base",
    ]
    assert monorepo.read("packages/mist-base/CHANGELOG.md") == (
        "# Changelog\n\n## 0.1.0 (2026-01-31)\n\n- mist-base.\n"
    )
    assert monorepo.git("diff", "--name-only").split() == ["packages/mist-base/CHANGELOG.md"]


def test_a_next_version_is_written_and_its_dependents_named(monorepo, capsys):
    """Nothing but the version changes in pyproject.toml; ranges are told, with what to write."""
    monorepo.released("mist-base")
    monorepo.open("mist-base", "0.1.1")
    capsys.readouterr()
    assert monorepo.release("prepare", "mist-base", "0.2.0", "--date", "2026-02-01") == 0
    assert capsys.readouterr().out.splitlines() == [
        "packages/mist-base/pyproject.toml:7: version 0.1.0 -> 0.2.0",
        "packages/mist-base/CHANGELOG.md: ## 0.2.0 (2026-02-01)",
        f'{TOP}:12: mist-top excludes 0.2.0: write "mist-base>=0.1,<0.3", or --widen',
        "Commit this on main, then: hatch run release make mist-base",
    ]
    changed = monorepo.git("diff", "--unified=0", "packages/mist-base/pyproject.toml")
    assert [line for line in changed.splitlines() if line[:2] in {"+v", "-v"}] == [
        '-version = "0.1.0"',
        '+version = "0.2.0"',
    ]
    assert monorepo.read("packages/mist-base/CHANGELOG.md").startswith(
        "# Changelog\n\n## 0.2.0 (2026-02-01)\n\n- More of mist-base.\n\n## 0.1.0 (2026-01-31)\n"
    )


def test_ranges_can_be_widened_at_once(monorepo, capsys):
    """With --widen the siblings admit the new version beside the old ones."""
    monorepo.released("mist-base")
    monorepo.open("mist-base", "0.2.0")
    assert monorepo.release("prepare", "mist-base", "0.2.0", "--widen") == 0
    assert f'{TOP}:12: mist-top now admits it: "mist-base>=0.1,<0.3"' in capsys.readouterr().out
    assert 'dependencies = ["mist-base>=0.1,<0.3"]' in monorepo.read(TOP)


def test_preparing_twice_changes_nothing_more(monorepo, capsys):
    """What is done already is left alone."""
    monorepo.released("mist-base")
    monorepo.released("mist-top")
    monorepo.open("mist-base", "0.1.1")
    assert monorepo.release("prepare", "mist-base", "0.1.1") == 0
    before = monorepo.git("diff")
    capsys.readouterr()
    assert monorepo.release("prepare", "mist-base", "0.1.1") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert monorepo.git("diff") == before


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9"])
def test_a_version_that_is_not_after_the_last_is_refused(monorepo, capsys, version):
    """A released version is never made again."""
    monorepo.released("mist-base")
    assert monorepo.release("prepare", "mist-base", version) == 1
    assert capsys.readouterr().err == (
        "packages/mist-base/pyproject.toml:7: mist-base-v0.1.0 is released, and "
        f"{version} is not after it\n    remedy: take 0.1.1, or a later version\n"
    )


def test_nothing_is_written_when_nothing_is_said(monorepo, capsys):
    """Without an entry in the changelog the version stays as it was."""
    monorepo.released("mist-base")
    assert monorepo.release("prepare", "mist-base", "0.1.1") == 1
    assert capsys.readouterr().err.splitlines() == [
        "packages/mist-base/CHANGELOG.md:3: nothing is written about 0.1.1",
        "    remedy: write what changed under `## 0.1.1 (unreleased)`, above all other sections",
    ]
    assert monorepo.git("status", "--porcelain") == ""


def test_a_pre_release_leads_to_its_version(monorepo):
    """0.2.0rc1 may break 0.1.0, and 0.2.0 may follow it."""
    monorepo.released("mist-base")
    monorepo.change("packages/mist-base/src/mist/base/__init__.py", '"Line", "join"', '"Line"')
    monorepo.released("mist-base", "0.2.0rc1")
    monorepo.open("mist-base", "0.2.0")
    assert monorepo.release("prepare", "mist-base", "0.2.0") == 0


def test_every_command_has_help(monorepo, capsys):
    """`release make --help` tells what it does."""
    for command in ("status", "api", "prepare", "make", "build", "test"):
        with pytest.raises(SystemExit) as ended:
            monorepo.release(command, "--help")
        assert ended.value.code == 0
        assert len(capsys.readouterr().out.split("\n\n")[1]) > 60


def test_a_day_is_a_day(monorepo, capsys):
    """A wrong date is named."""
    with pytest.raises(SystemExit):
        monorepo.release("prepare", "mist-base", "0.1.0", "--date", "tomorrow")
    assert "'tomorrow' is no day; write it like 2026-11-28" in capsys.readouterr().err
