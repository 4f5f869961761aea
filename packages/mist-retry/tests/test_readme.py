"""The README's example does what the README says."""

import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path


def readme() -> str:
    """The README of the checkout, or the copy in the installed package where there is none."""
    path = Path(__file__).parents[1] / "README.md"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return metadata("mist-retry").json["description"]


def without_figures(text: str) -> str:
    """The text with all numbers made equal."""
    return re.sub(r"\d[\d.e-]*", "N", text)


def test_the_example_runs_and_prints_what_is_shown():
    """The assertions hold, and the output is the one printed beneath, but for the figures."""
    (script,) = re.findall(r"^```python\n(.*?)^```", readme(), re.DOTALL | re.MULTILINE)
    (expected,) = re.findall(r"^```text\n(.*?)^```", readme(), re.DOTALL | re.MULTILINE)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert without_figures(ran.stdout) == without_figures(expected)
