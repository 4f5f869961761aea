"""The repository's root, and what mist-go wrote."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def golden() -> Path:
    """The directory of what mist-go wrote; it lies beside the repository, or MIST_GOLDEN tells."""
    named = os.environ.get("MIST_GOLDEN")
    if named:
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "golden").is_dir():
            return parent / "shared" / "golden"
    pytest.skip("no shared/golden above this file; name it by MIST_GOLDEN")
