"""What the tests of this package share: files, and environments without surprises."""

import os
from collections.abc import Callable, Iterable, Iterator
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


class Command:
    """A command of the shape of `mist.cli.Command`.

    Args:
        given: the flags that the command line gave, with their values.
        declared: flags that it could have given.
    """

    def __init__(self, given: dict[str, Any], declared: Iterable[str] = ()) -> None:
        self._given = given
        self._declared = {*given, *declared}

    def has_flag(self, name: str) -> bool:
        """Whether the command line gave it."""
        if name not in self._declared:
            raise LookupError(name)
        return name in self._given

    def _get(self, name: str, kind: type) -> Any:
        if type(self._given[name]) is not kind:
            raise LookupError(f"{name} is of another kind")
        return self._given[name]

    def get_string(self, name: str) -> str:
        """The value of one that is text."""
        return self._get(name, str)

    def get_int(self, name: str) -> int:
        """The value of one that is a whole number."""
        return self._get(name, int)

    def get_int64(self, name: str) -> int:
        """The same."""
        return self._get(name, int)

    def get_float64(self, name: str) -> float:
        """The value of one that is a number."""
        return self._get(name, float)

    def get_bool(self, name: str) -> bool:
        """The value of a switch."""
        return self._get(name, bool)


@pytest.fixture
def command() -> type[Command]:
    """A command that answers for its flags."""
    return Command


@pytest.fixture
def in_directory() -> Iterator[Callable[[Path], None]]:
    """Change the working directory for one test."""
    before = Path.cwd()
    yield os.chdir
    os.chdir(before)
