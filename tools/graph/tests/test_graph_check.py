"""Each way the graph can be wrong is one failure that names its line and its remedy."""

import xml.etree.ElementTree as ET

import pytest

from tools.graph.__main__ import main


def test_a_sound_monorepo_has_no_failure(monorepo):
    """Declared == imported == allowed gives nothing to report."""
    assert monorepo.failures() == []


@pytest.mark.parametrize(
    "code",
    [
        "import mist.command",
        "from mist.command import x",
        "from mist import command",
        "from mist.command.deep import x",
        "def f():\n    import mist.command",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mist.command import x",
        "import importlib\nimportlib.import_module('mist.command')",
        "from importlib import import_module\nimport_module('mist.command.deep')",
        "__import__('mist.command')",
        "import pkgutil\npkgutil.resolve_name('mist.command:x')",
        "try:\n    import mist.command\nexcept ImportError:\n    pass",
        "class A:\n    async def f(self):\n        from mist.command import x",
    ],
)
def test_an_undeclared_sibling_is_found_however_it_is_imported(monorepo, code):
    """Lazy imports, type-checking imports and imports by name all count."""
    monorepo.write("mist-base/src/mist/base/user.py", "import fastjson\n" + code + "\n")
    place, wrong, remedy = monorepo.failure()
    line = 2 + next(n for n, text in enumerate(code.splitlines()) if "mist" in text)
    assert place == f"packages/mist-base/src/mist/base/user.py:{line}"
    assert wrong.startswith("mist-base imports mist.command")
    assert wrong.endswith("but does not declare mist")
    assert remedy == ("drop the import: mist-base may depend on no sibling (architecture.toml:9)")


def test_an_undeclared_sibling_that_is_allowed_gets_the_line_to_write(monorepo):
    """The remedy is the requirement itself, in the range of the present version."""
    monorepo.distribution("mist-top", [])
    assert monorepo.failure() == (
        "packages/mist-top/src/mist/top/__init__.py:1",
        "mist-top imports mist.base but does not declare mist-base",
        'declare "mist-base>=0.1,<0.2" in packages/mist-top/pyproject.toml, or drop the import',
    )


def test_an_import_in_a_stub_counts(monorepo):
    """A .pyi file ships, so what it imports is a dependency."""
    monorepo.write("mist-base/src/mist/base/user.pyi", "from mist.command import x\n")
    assert monorepo.failure()[0] == "packages/mist-base/src/mist/base/user.pyi:1"


def test_a_declared_sibling_nobody_imports(monorepo):
    """A dependency that the code never imports is as much a fault as the reverse."""
    monorepo.write("mist-top/src/mist/top/__init__.py", "")
    assert monorepo.failure() == (
        "packages/mist-top/pyproject.toml:6",
        "mist-top declares mist-base but never imports it",
        "drop the dependency, or the code that needs it is missing",
    )


def test_a_mention_in_a_docstring_is_no_import(monorepo):
    """Only code imports."""
    monorepo.write("mist-top/src/mist/top/__init__.py", '"""import mist.base"""\n')
    assert "never imports" in monorepo.failure()[1]


def test_a_declared_sibling_the_architecture_forbids(monorepo):
    """The table decides, whatever declaration and code agree on."""
    monorepo.table.write_text(monorepo.table.read_text().replace('["mist-base"]', "[]"))
    assert monorepo.failure() == (
        "packages/mist-top/pyproject.toml:6",
        "mist-top declares mist-base, which the architecture does not allow",
        "drop it: mist-top may depend on no sibling (architecture.toml:13)",
    )


def test_a_cycle_names_every_edge(monorepo):
    """Two distributions that need each other are one failure with both lines."""
    monorepo.table.write_text(
        monorepo.table.read_text().replace(
            "[distributions.mist-base]\nsiblings = []",
            '[distributions.mist-base]\nsiblings = ["mist-top"]',
        )
    )
    monorepo.distribution("mist-base", ["fastjson>=1", "mist-top>=0.1,<0.2"])
    monorepo.write("mist-base/src/mist/base/__init__.py", "import fastjson, mist.top\n")
    place, wrong, remedy = monorepo.failure()
    assert place == "packages/mist-base/pyproject.toml:7"
    assert wrong in {
        "a cycle: mist-base -> mist-top -> mist-base",
        "a cycle: mist-top -> mist-base -> mist-top",
    }
    assert "packages/mist-base/pyproject.toml:7" in remedy
    assert "packages/mist-top/pyproject.toml:6" in remedy


@pytest.mark.parametrize("where", ["src/mist", "tests/example/src/mist"])
def test_a_namespace_with_an_init_file(monorepo, where):
    """`mist/__init__.py` anywhere in a package would hide every other distribution."""
    monorepo.write(f"mist-base/{where}/__init__.py", "")
    assert monorepo.failure() == (
        f"packages/mist-base/{where}/__init__.py:1",
        "mist-base has mist/__init__.py, which would hide every other distribution",
        "delete it: `mist` is a namespace (PEP 420)",
    )


@pytest.mark.parametrize("stray", ["src/mist/other/__init__.py", "src/extra.py"])
def test_a_second_package_in_a_distribution(monorepo, stray):
    """One distribution ships one package."""
    monorepo.write(f"mist-base/{stray}", "")
    place, wrong, _ = monorepo.failure()
    shown = stray.removesuffix("/__init__.py")
    assert place == f"packages/mist-base/{shown}:1"
    assert wrong == f"mist-base ships {shown.removeprefix('src/')} beside mist.base"


def test_a_relative_import_that_leaves_its_package(monorepo):
    """`from ..base` reaches a sibling behind the back of the declarations."""
    monorepo.write("mist-top/src/mist/top/user.py", "from . import own\nfrom ..base import x\n")
    assert monorepo.failure() == (
        "packages/mist-top/src/mist/top/user.py:2",
        "a relative import leaves mist.top for mist.base",
        "import another distribution by its absolute name, and declare it",
    )


def test_the_bare_namespace_is_no_import(monorepo):
    """`import mist` hides which package is used."""
    monorepo.write("mist-top/src/mist/top/user.py", "import mist\n")
    place, wrong, _ = monorepo.failure()
    assert place == "packages/mist-top/src/mist/top/user.py:1"
    assert wrong.startswith("`import mist` imports the bare namespace")


def test_a_package_that_no_distribution_ships(monorepo):
    """A misspelt sibling is named."""
    monorepo.write("mist-top/src/mist/top/user.py", "import mist.bsae\n")
    assert monorepo.failure() == (
        "packages/mist-top/src/mist/top/user.py:1",
        "no distribution of this workspace ships mist.bsae",
        "correct the name",
    )


@pytest.mark.parametrize(
    ("stated", "wrong"),
    [
        ("mist-base==0.1.3", "mist-top does not declare mist-base by a compatible range"),
        ("mist-base", "mist-top does not declare mist-base by a compatible range"),
        ("mist-base>=0.1", "mist-top does not declare mist-base by a compatible range"),
        ("mist-base>=0.1,<0.1.2", "mist-top excludes the present mist-base 0.1.3"),
        ("mist-base>=0.2,<0.3", "mist-top excludes the present mist-base 0.1.3"),
        ("mist-base>=0.1,<1", "mist-top admits mist-base 0.2, which may break it"),
        ("mist-base @ file:///x", "mist-top does not name a range"),
        ("mist-base>==1", "mist-top does not name a range"),
    ],
)
def test_a_sibling_range_that_is_not_a_compatible_range(monorepo, stated, wrong):
    """Ranges hold the present version and stop before the next breaking one."""
    monorepo.distribution("mist-top", [stated])
    assert monorepo.failure() == (
        "packages/mist-top/pyproject.toml:6",
        f"{wrong}: {stated!r}",
        'write "mist-base>=0.1,<0.2"',
    )


def test_a_range_on_a_stable_sibling_may_go_up_to_the_next_major(monorepo):
    """From 1.0 on, a minor release does not break."""
    path = monorepo.root / "packages/mist-base/pyproject.toml"
    path.write_text(path.read_text().replace("0.1.3", "1.4.0"))
    places = [(str(each.place), each.remedy) for each in monorepo.failures()]
    assert ("packages/mist-top/pyproject.toml:6", 'write "mist-base>=1.4,<2"') in places


def test_a_bundle_that_lacks_a_sibling(monorepo):
    """The extra that promises every sibling holds every sibling."""
    more = '[project.optional-dependencies]\nall = ["mist-base>=0.1,<0.2"]\n'
    monorepo.distribution("mist", [], more)
    place, wrong, remedy = monorepo.failure()
    assert place == "packages/mist/pyproject.toml:8"
    assert wrong == "the extra 'all' of mist does not hold mist-top"
    assert remedy == 'add "mist-top>=0.1,<0.2" to it: it holds every sibling'


def test_an_undeclared_third_party_import(monorepo):
    """The distribution is named, not only the module."""
    monorepo.write("mist-base/src/mist/base/user.py", "import json\nimport odd.deep\n")
    assert monorepo.failure() == (
        "packages/mist-base/src/mist/base/user.py:2",
        "mist-base imports odd.deep but does not declare oddly-named",
        "declare oddly-named in packages/mist-base/pyproject.toml, or drop the import",
    )


def test_a_third_party_dependency_the_architecture_forbids(monorepo):
    """Where the table lists all, nothing else may come in."""
    monorepo.distribution("mist-base", ["fastjson>=1", "oddly-named"])
    monorepo.write("mist-base/src/mist/base/user.py", "import odd\n")
    assert monorepo.failure() == (
        "packages/mist-base/pyproject.toml:7",
        "mist-base declares oddly-named, which the architecture does not allow",
        "drop it: architecture.toml:9 names all that mist-base takes from outside",
    )


def test_a_chosen_dependency_needs_its_reason(monorepo):
    """Where a package may choose, the changelog says why it chose."""
    monorepo.distribution("mist-top", ["mist-base>=0.1,<0.2", "oddly-named"])
    monorepo.write("mist-top/src/mist/top/user.py", "import odd\n")
    assert monorepo.failure() == (
        "packages/mist-top/pyproject.toml:7",
        "mist-top declares oddly-named without saying why",
        "add one line of reason to mist-top/CHANGELOG.md",
    )
    monorepo.write("mist-top/CHANGELOG.md", "- `oddly-named`: the best of its field.\n")
    assert monorepo.failures() == []


def test_an_unused_third_party_dependency(monorepo):
    """Declared and never imported is a failure at the declaration."""
    monorepo.distribution("mist-top", ["mist-base>=0.1,<0.2", "httpd>=2"])
    place, wrong, remedy = monorepo.failure()
    assert place == "packages/mist-top/pyproject.toml:7"
    assert wrong == "mist-top declares httpd but never imports it"
    assert '[tool.mist.loaded-by-name] httpd = "<who and why>"' in remedy


def test_an_unused_dependency_of_an_extra(monorepo):
    """Optional dependencies are held to the same rule, and imported ones are fine."""
    more = '[project.optional-dependencies]\nfast = ["httpd>=2"]\n'
    monorepo.distribution("mist-top", ["mist-base>=0.1,<0.2"], more)
    assert monorepo.failure()[:2] == (
        "packages/mist-top/pyproject.toml:9",
        "mist-top declares httpd but never imports it",
    )
    monorepo.write("mist-top/src/mist/top/user.py", "def f():\n    import httpd\n")
    assert monorepo.failures() == []


def test_a_dependency_loaded_by_name_must_be_named_in_the_code(monorepo):
    """The stated reason is believed only when a string of the code names the module."""
    more = '[tool.mist.loaded-by-name]\nhttpd = "the parser of another"\n'
    monorepo.distribution("mist-top", ["mist-base>=0.1,<0.2", "httpd>=2"], more)
    monorepo.write("mist-top/src/mist/top/user.py", '"""Uses httpd."""\n')
    assert monorepo.failure()[:2] == (
        "packages/mist-top/pyproject.toml:10",
        "no string in mist-top names httpd, said to be loaded by name",
    )
    monorepo.write("mist-top/src/mist/top/user.py", 'serve(http="httpd")\n')
    assert monorepo.failures() == []


@pytest.mark.parametrize(("dependency", "said"), [('"httpd>=2"', "imported"), ("", "not declared")])
def test_a_needless_loaded_by_name(monorepo, dependency, said):
    """A stale exception is a failure too."""
    more = '[tool.mist.loaded-by-name]\nhttpd = "the parser of another"\n'
    dependencies = ["mist-base>=0.1,<0.2", *([dependency.strip('"')] if dependency else [])]
    monorepo.distribution("mist-top", dependencies, more)
    code = "import httpd\n" if dependency else ""
    monorepo.write("mist-top/src/mist/top/user.py", code)
    assert monorepo.failure()[1] == (
        f"httpd is {said} by mist-top, so it is not a matter of loading by name"
    )


def test_another_range_of_pythons(monorepo):
    """All distributions support the same Pythons."""
    path = monorepo.root / "packages/mist-base/pyproject.toml"
    path.write_text(path.read_text().replace(">=3.11", ">=3.11,<3.14"))
    assert monorepo.failure() == (
        "packages/mist-base/pyproject.toml:4",
        "mist-base has requires-python '>=3.11,<3.14'",
        'write requires-python = ">=3.11", the range every distribution supports',
    )


def test_an_entry_point_is_an_import_and_its_own_module_exists(monorepo):
    """What an entry point names is loaded, and must be there."""
    monorepo.distribution(
        "mist-base", ["fastjson>=1"], '[project.entry-points."mist.x"]\na = "mist.command:f"\n'
    )
    assert monorepo.failure()[:2] == (
        "packages/mist-base/pyproject.toml:9",
        "mist-base imports mist.command but does not declare mist",
    )
    monorepo.distribution(
        "mist-base", ["fastjson>=1"], '[project.scripts]\na = "mist.base.gone:f"\n'
    )
    place, wrong, _ = monorepo.failure()
    assert place == "packages/mist-base/pyproject.toml:9"
    assert "'mist.base.gone:f' of mist-base names a module that is not there" in wrong


def test_a_distribution_without_a_row_and_a_row_without_a_distribution(monorepo):
    """Table and packages/ list the same names."""
    monorepo.table.write_text(monorepo.table.read_text().replace("s.mist-top]", "s.mist-gone]"))
    wrong = [(str(each.place), each.wrong) for each in monorepo.failures()]
    assert wrong == [
        (
            "architecture.toml:1",
            "the architecture has no row for mist-top (packages/mist-top/pyproject.toml)",
        ),
        (
            "architecture.toml:13",
            "the architecture has a row for mist-gone, which is not under packages/",
        ),
    ]


def test_a_file_that_is_not_python(monorepo):
    """A broken file is named with its line, and the other files are still read."""
    monorepo.write("mist-base/src/mist/base/bad.py", "x = 1\ndef f(:\n")
    place, wrong, _ = monorepo.failure()
    assert place == "packages/mist-base/src/mist/base/bad.py:2"
    assert wrong.startswith("not Python: ")


def test_tests_import_only_what_stands_beside_them_alone(monorepo):
    """A sibling or a tool that the distribution does not declare is not there in isolation."""
    monorepo.write(
        "mist-base/tests/test_x.py",
        """\
        import odd
        import pytest
        import local
        from mist.base import x
        from mist.top import y
        """,
    )
    monorepo.write("mist-base/tests/local.py", "")
    more = '[dependency-groups]\ntest = ["pytest"]\n'
    monorepo.distribution("mist-base", ["fastjson>=1"], more)
    found = [(str(each.place), each.wrong) for each in monorepo.failures()]
    file = "packages/mist-base/tests/test_x.py"
    assert found == [
        (f"{file}:1", "the tests of mist-base import odd but nothing declares oddly-named"),
        (
            f"{file}:5",
            "the tests of mist-base import mist.top, which is not among its dependencies",
        ),
    ]


def test_a_test_tool_nobody_uses(monorepo):
    """Test tools are declared for a reason; pytest's own plugins are loaded by pytest."""
    more = '[dependency-groups]\ntest = ["pytest", "pytest-asyncio", "oddly-named"]\n'
    monorepo.distribution("mist-base", ["fastjson>=1"], more)
    monorepo.write("mist-base/tests/test_x.py", "import mist.base\n")
    assert monorepo.failure() == (
        "packages/mist-base/pyproject.toml:9",
        "the tests of mist-base never import oddly-named",
        "drop it from [dependency-groups] test",
    )


def test_the_command_prints_failures_with_place_and_remedy(monorepo, capsys):
    """Exit status 1, each failure on stderr as `file:line: what` and its remedy."""
    monorepo.write("mist-top/src/mist/top/__init__.py", "")
    status = main(["--root", str(monorepo.root), "--table", str(monorepo.table)])
    out, err = capsys.readouterr()
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "packages/mist-top/pyproject.toml:6: mist-top declares mist-base but never imports it",
        "    remedy: drop the dependency, or the code that needs it is missing",
        "1 failure",
    ]


def test_the_command_draws_a_sound_graph(monorepo, capsys):
    """Exit status 0 and the graph, layer by layer."""
    status = main(["--root", str(monorepo.root), "--table", str(monorepo.table)])
    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        "layer 0",
        "  mist       -",
        "  mist-base  [fastjson]",
        "layer 1",
        "  mist-top   mist-base",
        "3 distributions, 3 with code, 3 modules, 1 edges: declared == imported == allowed",
    ]


@pytest.fixture
def drawn(monorepo):
    """Run the command with --write on that page; the result is its status, page and picture."""

    def write(page):
        (monorepo.root / "docs").mkdir(exist_ok=True)
        (monorepo.root / "ARCHITECTURE.md").write_text(page)
        arguments = ["--root", str(monorepo.root), "--table", str(monorepo.table), "--write"]
        status = main(arguments)
        picture = monorepo.root / "docs/graph.svg"
        return (
            status,
            (monorepo.root / "ARCHITECTURE.md").read_text(),
            picture.read_text() if picture.exists() else None,
        )

    return write


def test_the_graph_is_written_between_its_marks(drawn):
    """What was between them goes, what is around them stays, and a second time changes nothing."""
    status, page, _ = drawn("before\n<!-- graph -->\nold\n<!-- end -->\nafter\n")
    assert status == 0
    assert page.startswith("before\n<!-- graph -->\n\n```text\nlayer 0\n  mist       -\n")
    assert page.endswith("  mist-top   mist-base\n```\n\n<!-- end -->\nafter\n")
    assert drawn(page)[1] == page


def test_the_picture_has_a_box_for_each_and_a_line_for_each_need(drawn):
    """Who needs is left of who is needed, and who does neither stands below."""
    _, _, svg = drawn("<!-- graph -->\n<!-- end -->\n")
    root = ET.fromstring(svg)
    texts = {each.text: each.attrib for each in root.findall(".//{*}text")}
    assert {"mist", "mist-base", "fastjson", "mist-top"} < set(texts)
    assert len(root.findall(".//{*}path")) == 1
    assert int(texts["mist-top"]["x"]) < int(texts["mist-base"]["x"])
    assert int(texts["mist"]["y"]) > int(texts["mist-top"]["y"])


def test_a_page_without_marks_is_left_alone(drawn, capsys):
    """The remedy is told, and nothing is written."""
    assert drawn("no marks\n") == (1, "no marks\n", None)
    assert "ARCHITECTURE.md: put <!-- graph --> and <!-- end -->" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project", "packages/mist-top/pyproject.toml: not TOML: "),
        (
            "[project]\nname = 'mist-top'\ndynamic = ['version']\n",
            "packages/mist-top/pyproject.toml:1: [project].version is missing",
        ),
    ],
)
def test_a_pyproject_that_cannot_be_read(monorepo, capsys, text, message):
    """The file is named instead of a traceback."""
    monorepo.write("mist-top/pyproject.toml", text)
    assert main(["--root", str(monorepo.root), "--table", str(monorepo.table)]) == 1
    assert capsys.readouterr().err.startswith(message)
