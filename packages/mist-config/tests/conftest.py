"""What the tests of this package share: files, and environments without surprises."""

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mist.config import ConfigError, Problem, load


@pytest.fixture
def toml(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write a document to `app.toml`."""

    def write(document: str | bytes) -> Path:
        path = tmp_path / "app.toml"
        path.write_bytes(document if isinstance(document, bytes) else document.encode())
        return path

    return write


@pytest.fixture
def loaded(toml) -> Callable[..., Any]:
    """Load a document, with `APP` as prefix and no environment but the one given."""

    def make(
        target: type, document: str | bytes = "", env: dict[str, str] | None = None, **options
    ):
        return load(toml(document), "APP", target, env=env or {}, **options)

    return make


@pytest.fixture
def problems(loaded) -> Callable[..., tuple[Problem, ...]]:
    """The problems of a document that is wrong."""

    def find(*args: Any, **options: Any) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            loaded(*args, **options)
        return caught.value.problems

    return find


@pytest.fixture
def in_directory() -> Iterator[Callable[[Path], None]]:
    """Change the working directory for one test."""
    before = Path.cwd()
    yield os.chdir
    os.chdir(before)


@pytest.fixture
def silent() -> Iterator[None]:
    """Ignore warnings, where a test is about something else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
