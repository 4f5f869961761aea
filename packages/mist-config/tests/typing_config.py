"""What users write, checked by mypy and pyright and never run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_type

import msgspec

from mist.config import (
    ByteSize,
    ConfigError,
    ConfigWarning,
    Duration,
    Explanation,
    Origin,
    Problem,
    Secret,
    Setting,
    decode,
    explain,
    load,
    parse_toml,
    validate,
)


class Db(msgspec.Struct, frozen=True):
    """A Struct of a user's own."""

    host: str
    password: Secret | None = None
    wait: Duration = 30.0


@dataclass
class Settings:
    """A dataclass of a user's own."""

    db: Db
    cache: ByteSize = 1 << 20


class Command:
    """Something of the shape of a command."""

    def has_flag(self, name: str) -> bool:
        """Whether it was given."""
        return bool(name)

    def get_string(self, name: str) -> str:
        """Text."""
        return name

    def get_int(self, name: str) -> int:
        """A whole number."""
        return len(name)

    def get_int64(self, name: str) -> int:
        """A whole number."""
        return len(name)

    def get_float64(self, name: str) -> float:
        """A number."""
        return len(name)

    def get_bool(self, name: str) -> bool:
        """A switch."""
        return bool(name)


environment: Mapping[str, str] = {}
assert_type(load("app.toml", "APP", Settings), Settings)
assert_type(load(Path("app.toml"), "APP", Db, env=environment, optional=True), Db)
settings = load(
    None,
    "",
    Settings,
    unknown="error",
    unknown_env="ignore",
    overrides={"db.host": "x", "cache": 1},
    flags=Command(),
)
assert_type(settings.db.wait, float)
assert_type(settings.cache, int)
if settings.db.password:
    assert_type(settings.db.password.reveal(), str)

tables: dict[str, Any] = parse_toml(b"")
assert_type(decode(parse_toml(""), Db, unknown="ignore"), Db)
validate(settings)

explanation = explain(settings)
assert_type(explanation, Explanation)
assert_type(explanation["db.host"].origin, Origin)
for each in explanation:
    assert_type(each, Setting)
    assert_type(each.origin.line, int | None)

try:
    load("app.toml", "APP", Settings)
except ConfigError as error:
    assert_type(error.code, str)
    assert_type(error.problems, tuple[Problem, ...])
    assert_type(error.problems[0].origin.name, str)
warning: type[UserWarning] = ConfigWarning
