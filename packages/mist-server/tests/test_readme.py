"""The README's examples are true."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


def examples():
    """Return the README's Python examples, none where the tests are run without it."""
    if not README.is_file():
        return []
    return re.findall(
        r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


@pytest.mark.parametrize("number", range(max(1, len(examples()))))
def test_the_readme_examples_run(number, tmp_path, monkeypatch):
    """Each example in the README runs as it stands, in an empty directory."""
    if not README.is_file():
        pytest.skip("the tests are run without the README beside them")
    monkeypatch.chdir(tmp_path)
    exec(compile(examples()[number], str(README), "exec"), {"__name__": "readme"})
