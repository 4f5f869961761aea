"""Every Python example of the guides runs as it stands, and those that join several packages.

A package's own tests run the examples of its README. Those that also need packages which it does
not depend on are titled `with mist-...`, and run here.
"""

import subprocess
import sys

import pytest

from tools.site.markdown import guides, readmes

GUIDES = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in guides()
    for number, code in enumerate(page.blocks(r"python"), 1)
]
JOINT = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in readmes()
    for number, code in enumerate(page.blocks(r'python title="with mist-.+"'), 1)
]


@pytest.mark.parametrize("code", [*GUIDES, *JOINT])
def test_an_example_runs(code, tmp_path):
    """Each runs by itself, in an empty directory, with warnings as errors."""
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import example"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("page", [*guides(), *readmes()], ids=lambda page: page.name)
def test_no_example_is_left_out(page):
    """A block of Python is opened in one of the ways that the tests know."""
    known = page.blocks(r'python|python title="with mist-.+"')
    assert page.blocks(r"(?i)\s*(py|python|pycon)\b.*") == known


def test_there_are_examples():
    """So that the tests above are some."""
    assert len(GUIDES) >= 3
    assert JOINT
