"""The README's example does what the README says."""

import re
from importlib.metadata import metadata
from pathlib import Path


def readme() -> str:
    """The README of the checkout, or the copy in the installed package where there is none."""
    path = Path(__file__).parents[1] / "README.md"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return metadata("mist-output").json["description"]


def test_readme_example_writes_what_the_readme_shows(on_pipes):
    """The example runs, and its output is the one printed beneath it."""
    text = readme()
    (script,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (expected,) = re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ran = on_pipes(script)
    assert ran.stdout == expected
    assert ran.stderr.startswith("scoring: 3/3 (100%) in 0:00")
