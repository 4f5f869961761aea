"""Where each value comes from, for people and for programs."""

import datetime as dt
import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from mist.config import Duration, Origin, Secret, decode, explain, load


class Mode(enum.Enum):
    """An enum."""

    FAST = "fast"


class Db(Struct):
    """A section with secrets."""

    host: str
    password: Secret
    api_key: str = "hunter2"
    dsn: str = "postgres://ada:hunter2@db/x"
    marked: Annotated[str, Meta(extra={"secret": True})] = "hunter2"


@dataclass
class Settings:
    """All kinds of values."""

    db: Db
    wait: Duration = 1.0
    mode: Mode = Mode.FAST
    path: Path | None = None
    when: dt.date = dt.date(2024, 5, 6)
    max_tokens: int = 100
    hosts: list[str] = field(default_factory=list)
    servers: list[Db] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    anything: Any = None


DOCUMENT = """
hosts = ["a", "b"]
wait = "1m"
labels = { a-b = "x", password = "hunter2" }

[db]
host = "file"
password = "hunter2"

[[servers]]
host = "one"
password = "hunter2"

[anything]
deep = [{ token = "hunter2", n = 1 }]
"""


def test_every_value_has_its_origin(toml):
    """The table is for people; the settings are for programs."""
    file = toml(DOCUMENT)
    env = {"APP_DB__HOST": "env", "APP_PATH": "x"}
    made = load(file, "APP", Settings, env=env, overrides={"max_tokens": 7})
    assert str(explain(made)).replace(str(file), "app.toml").splitlines() == [
        'db.host                 "env"                      APP_DB__HOST',
        "db.password             ***                        app.toml:8",
        "db.api_key              ***                        default",
        'db.dsn                  "postgres://ada:***@db/x"  default',
        "db.marked               ***                        default",
        "wait                    60.0                       app.toml:3",
        'mode                    "fast"                     default',
        'path                    "x"                        APP_PATH',
        "when                    2024-05-06                 default",
        "max_tokens              7                          override max_tokens",
        'hosts                   ["a", "b"]                 app.toml:2',
        'servers[0].host         "one"                      app.toml:11',
        "servers[0].password     ***                        app.toml:12",
        "servers[0].api_key      ***                        default",
        'servers[0].dsn          "postgres://ada:***@db/x"  default',
        "servers[0].marked       ***                        default",
        'labels.a-b              "x"                        app.toml:4',
        "labels.password         ***                        app.toml:4",
        "anything.deep[0].token  ***                        app.toml:15",
        "anything.deep[0].n      1                          app.toml:15",
    ]


def test_an_explanation_is_a_sequence_of_settings(toml):
    """Each has a path, a value as text, and an origin; it encodes."""
    file = toml(DOCUMENT)
    found = explain(load(file, "APP", Settings, env={}))
    assert found["wait"].origin == Origin("file", str(file), 3)
    assert found["wait"] in list(found)
    assert len(found) == len(found.settings)
    assert "hunter2" not in msgspec.json.encode(found).decode() + repr(found)
    with pytest.raises(KeyError):
        found["nothing"]


def test_what_was_decoded_and_what_was_made_in_code_is_told_apart():
    """A mapping has no lines, and an object of the program's own has no history."""
    made = decode({"db": {"host": "h", "password": "p"}}, Settings)
    assert str(explain(made)["db.host"].origin) == "mapping"
    assert str(explain(made)["wait"].origin) == "default"
    own = Settings(Db("h", Secret("p")))
    assert {str(each.origin) for each in explain(own)} == {"code"}


def test_equal_configurations_are_not_mistaken_for_each_other(toml):
    """It is the very object that is known, not one like it."""
    first = load(toml("hosts = ['a']\ndb = {host='h', password='p'}"), "APP", Settings, env={})
    second = load(toml("\n\nhosts = ['a']\ndb = {host='h', password='p'}"), "APP", Settings, env={})
    assert first == second
    assert (explain(first)["hosts"].origin.line, explain(second)["hosts"].origin.line) == (1, 3)


def test_only_so_many_configurations_are_remembered():
    """A program that reloads for years does not grow."""
    first = decode({"db": {"host": "h", "password": "p"}}, Settings)
    for _ in range(32):
        decode({"db": {"host": "h", "password": "p"}}, Settings)
    assert str(explain(first)["db.host"].origin) == "code"
