"""Where the golden data is, and what the README shows."""

import json
import os
import re
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden_errors() -> list[dict[str, object]]:
    """What mist-go itself said about every code, one record a line."""
    lines = (_golden() / "errors.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def readme_example() -> str:
    """The first Python block of the package's README."""
    readme = Path(__file__).parent.parent / "README.md"
    if not readme.exists():
        pytest.skip("the tests run apart from the package's README")
    block = re.search(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1]


def _golden() -> Path:
    if named := os.environ.get("MIST_GOLDEN"):
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "golden").is_dir():
            return parent / "shared" / "golden"
    pytest.skip("no shared/golden above the tests, and MIST_GOLDEN is not set")
