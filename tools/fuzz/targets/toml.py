"""A TOML document has the tables that tomllib sees, or an error with its line.

Every key of a document that is valid is located on a line that is there, and none counts as
defined twice; a configuration of it is made, or every problem is told.
"""

import math
import tempfile
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from mist.config import ConfigError, explain, load, parse_toml
from mist.config.locate import Locations
from tools.fuzz import seeds as public

TOKENS = ("[[", "]]", "'''", '"""', "\\u", "1979-05-27T07:32:00Z", "0x", "inf", "nan", "1_0", "= {")

_LONGEST_ERROR = 4000


class Section(msgspec.Struct):
    """A section that most documents do not fit."""

    name: str = ""
    ports: list[int] = []
    rest: dict[str, Any] = {}


class Settings(msgspec.Struct):
    """A configuration that most documents do not fit."""

    title: str = ""
    ratio: float = 1.0
    a: Section | None = None
    b: list[Section] = []


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    expected = _by_tomllib(data)
    try:
        tree = parse_toml(data)
    except ConfigError as exc:
        assert expected is None, f"refused, and tomllib reads it: {exc}"
        assert len(str(exc)) < _LONGEST_ERROR
        last = data.count(b"\n") + 1
        assert all(1 <= (each.origin.line or 1) <= last for each in exc.problems)
        return
    assert repr(tree) == repr(expected)
    _is_located(tree, data)
    _loads(data)


def seeds() -> Iterator[bytes]:
    """Give the collection of valid and invalid documents."""
    yield from public.toml_documents()
    yield b'title = "x"\nratio = 1\n[a]\nname = "n"\nports = [1, 2]\n[[b]]\nname = 1\n[[b]]\nx = 1\n'


def _by_tomllib(data: bytes) -> dict[str, Any] | None:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _is_located(tree: dict[str, Any], data: bytes) -> None:
    text = data.decode("utf-8-sig")
    locations = Locations(text)
    assert locations.duplicates == []
    missing = {path for path in _paths(tree) if path not in locations.lines}
    assert not missing, f"no line for {missing}"
    last = text.count("\n") + 1
    assert all(1 <= line <= last for line in locations.lines.values())


def _paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(cast("dict[object, object]", value).items())
    elif isinstance(value, list):
        items = list(enumerate(cast("list[object]", value)))
    for key, each in items:
        yield (*path, key)
        yield from _paths(each, (*path, key))


def _loads(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(directory) / "settings.toml"
        path.write_bytes(data)
        try:
            settings = load(path, "APP", Settings, env={})
        except ConfigError as exc:
            assert exc.problems
            assert all(problem.message for problem in exc.problems)
            return
    assert math.isnan(settings.ratio) or settings == msgspec.convert(
        msgspec.to_builtins(settings), Settings
    )
    str(explain(settings))
