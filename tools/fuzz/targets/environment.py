"""Variables make a configuration or a `ConfigError`, in whatever order they come.

The input is a `NAME=value` a line, with the prefix `APP_`. No secret is ever shown, and every
problem names a variable that is there.
"""

import enum
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from mist.config import ConfigError, Secret, explain, load

_SECRET = "hunter2-hunter2"  # what must not be shown
_FIELDS = [
    "TEXT",
    "NUMBER",
    "RATIO",
    "SWITCH",
    "COLOUR",
    "WHERE",
    "MAYBE",
    "SEVERAL",
    "TABLE",
    "EITHER",
    "DB__HOST",
    "DB__PORT",
    "DB__PASSWORD",
    "DB__PASSWORD_FILE",
    "DB",
    "SERVERS",
    "SERVERS__0__HOST",
    "TABLE__KEY",
]
TOKENS = tuple(f"APP_{name}=" for name in _FIELDS)


class Colour(enum.Enum):
    """A choice of two."""

    RED = "red"
    BLUE = "blue"


class Database(msgspec.Struct):
    """A section with a secret."""

    host: str = "localhost"
    port: int = 5432
    password: Secret = Secret("")


class Settings(msgspec.Struct):
    """A field of each kind."""

    text: str = ""
    number: int = 0
    ratio: float = 1.0
    switch: bool = False
    colour: Colour = Colour.RED
    where: Path = Path()
    maybe: int | None = None
    several: list[int] = []
    table: dict[str, float] = {}
    either: int | str | list[str] = 0
    db: Database = msgspec.field(default_factory=Database)
    servers: list[Database] = []


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    lines = data.decode("utf-8", "surrogateescape").replace("\0", "").split("\n")
    pairs = [line.partition("=") for line in lines]
    env = {name: text for name, _, text in pairs if name and "_FILE" not in name}
    env["APP_DB__PASSWORD"] = _SECRET
    first = _outcome(env)
    shuffled = list(env.items())
    random.Random(0).shuffle(shuffled)  # any other order will do
    assert _outcome(dict(shuffled)) == first


def seeds() -> Iterator[bytes]:
    """Give each kind of value, right and wrong."""
    for text in (
        "",
        "1",
        "-1.5e3",
        "true",
        "[1,2]",
        '{"a":1}',
        "a,b",
        "red",
        "null",
        "[{}]",
        "\xff",
    ):
        yield "\n".join(f"{name}{text}" for name in TOKENS).encode()
        yield from (f"{name}{text}".encode() for name in TOKENS)


def _outcome(env: dict[str, str]) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            settings: Any = load(None, "APP", Settings, env=env)
        except ConfigError as exc:
            told = sorted(map(str, exc.problems))
            assert all(not p.origin.name or p.origin.name in env for p in exc.problems)
        else:
            told = [repr(settings), str(explain(settings))]
    told += sorted(str(each.message) for each in caught)
    shown = "\n".join(told)
    assert _SECRET not in shown, "a secret is shown"
    return shown
