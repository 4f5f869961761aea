"""The README's example is true."""

import re
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


@pytest.mark.usefixtures("payload_types")
def test_the_readme_example_runs(tmp_path, monkeypatch):
    """The Python examples in the README run as they stand, one after the other."""
    if not README.is_file():
        pytest.skip("the tests are run without the README beside them")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "client"))
    monkeypatch.delitem(sys.modules, "mist_client", raising=False)
    examples = re.findall(
        r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert examples
    names = {"__name__": "readme"}
    for example in examples:
        exec(compile(example, str(README), "exec"), names)
