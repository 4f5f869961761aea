"""The README's example does what the README says."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_readme_example_writes_what_the_readme_shows(on_pipes):
    """The example runs, and its output is the one printed beneath it."""
    text = README.read_text(encoding="utf-8")
    (script,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (expected,) = re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ran = on_pipes(script)
    assert ran.stdout == expected
    assert ran.stderr.startswith("scoring: 3/3 (100%) in 0:00")
