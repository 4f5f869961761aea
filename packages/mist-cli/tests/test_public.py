"""The package is what its front page says."""

import types

import pytest

import mist.cli


def test_all_is_exactly_the_public_names():
    """`__all__` lists every public name and nothing else."""
    public = {
        name
        for name, value in vars(mist.cli).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(mist.cli.__all__) == public


def test_public_objects_carry_the_public_module():
    """No private module shows in a repr or a traceback."""
    assert {getattr(mist.cli, name).__module__ for name in mist.cli.__all__} == {"mist.cli"}


@pytest.fixture
def hello(readme_example, monkeypatch):
    """The README's application."""
    for name in ("HELLO_GREET_LOUD", "MIST_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    namespace = {"__name__": "readme"}
    exec(compile(readme_example, "README.md", "exec"), namespace)
    return namespace["app"]


def test_the_readme_example_does_what_the_readme_shows(hello, capsys, monkeypatch):
    """Every line of the README's console session comes out as printed there."""
    assert hello.execute(["greet", "--loud", "Ada", "Grace"]) == 0
    assert capsys.readouterr().out == "HELLO Ada\nHELLO Grace\n"
    assert hello.execute(["greet", "nobody"]) == 3
    assert capsys.readouterr().err == "hello: not_found: there is nobody\n"
    assert hello.execute(["greet", "nobody", "--json"]) == 3
    assert capsys.readouterr().err == '{"code":"not_found","message":"there is nobody"}\n'
    assert hello.execute(["greet", "--lout", "Ada"]) == 2
    assert capsys.readouterr().err == "hello: unknown flag --lout; did you mean --loud?\n"
    monkeypatch.setenv("HELLO_GREET_LOUD", "yes")
    assert hello.execute(["greet", "Ada"]) == 0
    assert capsys.readouterr().out == "HELLO Ada\n"
