"""The README's examples do what the README says."""

import re
from pathlib import Path

import pytest

from mist.trace import sinks
from mist.trace.otel import disconnect

README = Path(__file__).resolve().parent.parent / "README.md"


def blocks(language):
    """Return the README's code in a language, none where the tests are run without it."""
    if not README.is_file():
        return []
    return re.findall(
        rf"^```{language}\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


@pytest.fixture(autouse=True)
def _as_before():
    yield
    disconnect()
    sinks.active = ()


@pytest.mark.parametrize("number", range(max(1, len(blocks("python")))))
def test_the_readme_examples_run(number, tmp_path, monkeypatch):
    """Each example in the README runs as it stands, in an empty directory."""
    if not blocks("python"):
        pytest.skip("the tests are run without the README beside them")
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[number], str(README), "exec"), {"__name__": "readme"})


def test_the_first_example_prints_what_is_shown(monkeypatch, capsys):
    """The tree beneath the first example is its output, but for ids and times."""
    if not blocks("python"):
        pytest.skip("the tests are run without the README beside them")
    monkeypatch.setenv("COLUMNS", "80")
    exec(compile(blocks("python")[0], str(README), "exec"), {"__name__": "readme"})

    def alike(text):
        text = re.sub(r"[0-9a-f]{32}", "ID", text)
        return re.sub(r" +[\d.]+ (µs|ms|s)", " TIME", text)

    assert alike(capsys.readouterr().out) == alike(blocks("text")[0])
