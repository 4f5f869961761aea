"""The README's example is true."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_readme_example_runs():
    """The example in the README runs as it stands."""
    if not README.is_file():
        pytest.skip("the tests are run without the README beside them")
    examples = re.findall(
        r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert examples
    for example in examples:
        exec(compile(example, str(README), "exec"), {"__name__": "readme"})
