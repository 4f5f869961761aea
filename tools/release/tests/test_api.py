"""The public interface of a package, against an earlier one in git's history."""

import pytest

INIT = "packages/mist-base/src/mist/base/__init__.py"
LINES = "packages/mist-base/src/mist/base/lines.py"


@pytest.fixture
def told(monorepo, capsys):
    """Release mist-base, change one of its files, and give what the command says, and its status."""
    monorepo.released("mist-base")

    def run(path="", old="", new="", *argv):
        if path:
            monorepo.change(path, old, new)
        capsys.readouterr()
        status = monorepo.release("api", "mist-base", *argv)
        return status, capsys.readouterr().out.splitlines()

    return run


@pytest.mark.parametrize(
    ("path", "old", "new", "breakage"),
    [
        (INIT, '"Line", "join"', '"Line"', "mist.base.join: public object was removed"),
        (LINES, "def join", "def joined", "mist.base.join: public object was removed"),
        (LINES, ', end: str = ", "', "", "mist.base.join(end): parameter was removed"),
        (
            LINES,
            '= ", "',
            '= "-"',
            "mist.base.join(end): parameter default was changed, from ', ' to '-'",
        ),
        (LINES, 'end: str = ", "', "end: str", "mist.base.join(end): parameter is now required"),
        (
            LINES,
            "list[Line], end",
            "list[Line], *, end",
            "mist.base.join(end): parameter kind was changed, from positional or keyword to ",
        ),
        (LINES, "    text: str\n", "    text: str\n    size: int\n", "mist.base.Line(size): "),
        (LINES, "    number: int = 0\n", "    number: int\n", "mist.base.Line(number): "),
        (LINES, "    number: int = 0\n", "", "mist.base.Line.number: public object was removed"),
        (LINES, "msgspec.Struct", "msgspec.Struct, kw_only=True", "mist.base.Line(text): "),
    ],
)
def test_a_break_is_named_as_users_import_it(told, path, old, new, breakage):
    """By the public name, though the code is in another file; it takes a new minor version."""
    status, out = told(path, old, new)
    assert out[0] == "mist-base since mist-base-v0.1.0"
    assert any(line.startswith(f"  breaks {breakage}") for line in out)
    assert out[-1] == "  takes a new minor version: 0.2.0 or later; not raised yet"
    assert status == 0


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (
            LINES,
            "import msgspec\n",
            "import msgspec\n\n\ndef inner(a: int) -> int:\n    return a\n",
        ),
        (LINES, "    return end", "    assert end\n    return end"),
        (LINES, "msgspec.Struct)", "msgspec.Struct, frozen=True)"),
        (LINES, '"""Join lines."""', '"""Join some."""'),
    ],
)
def test_what_nobody_can_import_breaks_nothing(told, path, old, new):
    """Files that are not listed, bodies and docstrings are the package's own."""
    assert told(path, old, new) == (
        0,
        ["mist-base since mist-base-v0.1.0", "  the public interface is the same"],
    )


def test_a_new_name_takes_a_new_version(told):
    """Below 1.0 a patch will do."""
    status, out = told(INIT, '__all__ = ["Line"', 'def added(): ...\n__all__ = ["added", "Line"')
    assert (status, out[1:]) == (
        0,
        [
            "  new    mist.base.added",
            "  takes a new patch version: 0.1.1 or later; not raised yet",
        ],
    )


def test_a_moved_definition_breaks_nothing(monorepo, told):
    """The file that a name comes from is nobody's business."""
    monorepo.git("mv", LINES, LINES.replace("lines", "rows"))
    assert told(INIT, "base.lines", "base.rows")[1][-1] == "  the public interface is the same"


def test_a_module_of_its_own_is_public_with_its_list(monorepo, told):
    """A module with `__all__` counts, and is missed when it goes."""
    path = "packages/mist-base/src/mist/base/testing.py"
    monorepo.write(path, "def fake(): ...\n\n__all__ = ['fake']\n")
    assert "  new    mist.base.testing.fake" in told()[1]
    monorepo.commit("Add")
    monorepo.git("rm", "--quiet", path)
    out = told("", "", "", "--against", "HEAD")[1]
    assert "  breaks mist.base.testing.fake: public object was removed" in out


def test_a_version_that_rises_too_little_fails(told):
    """Status 1, so that a check before a merge can tell."""
    status, out = told(INIT, '"Line", "join"', '"Line"')
    assert status == 0
    status, out = told("packages/mist-base/pyproject.toml", '"0.1.0"', '"0.1.1"')
    assert (status, out[-1]) == (
        1,
        "  takes a new minor version: 0.2.0 or later; 0.1.1 is NOT ENOUGH",
    )
    assert told("packages/mist-base/pyproject.toml", '"0.1.1"', '"0.2.0"')[0] == 0


def test_what_was_never_released_has_broken_nothing(monorepo, capsys):
    """Without a release there is nothing to hold it against."""
    assert monorepo.release("api", "mist-top") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "mist-top: never released"
