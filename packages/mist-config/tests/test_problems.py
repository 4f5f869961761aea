"""Everything that is wrong, in one report."""

import pickle
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from mist.config import ConfigError, Duration, Problem, Secret, decode


class Db(Struct):
    """A section with a rule of its own."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 5432
    timeout: Duration = 30.0
    minimum: int = 0
    maximum: int = 10

    def __post_init__(self):
        if self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")


@dataclass
class Settings:
    """Sections, a list of them, a dict of them."""

    db: Db
    level: Literal["debug", "info"] = "info"
    replicas: list[Db] = field(default_factory=list)
    named: dict[str, Db] = field(default_factory=dict)
    weights: Annotated[list[float], Meta(min_length=2)] = field(default_factory=lambda: [1, 2])
    by_number: dict[int, str] = field(default_factory=dict)


DOCUMENT = """\
level = "inof"  # 1

[db]            # 3
"port" = 99999
timeout.x = 1   # 5
hots = "h"

[[replicas]]    # 8
host = "a"
minimum = 20

[[replicas]]
host = 5        # 13

[named]
a.b.c = {}      # 16
"odd key" = { host = "h", port = "x" }
"""


def test_every_problem_is_in_one_report_with_its_line_or_variable(problems):
    """pydantic-settings names `db.port` alone, msgspec stops at the first: here is all of it."""
    env = {"APP_DB__TIMEOUT": "soon", "APP_WEIGHTS": "1", "APP_BY_NUMBER__ONE": "x"}
    found = problems(Settings, DOCUMENT, env, unknown="error")
    lines = [str(problem).partition("app.toml:")[2] or str(problem) for problem in found]
    assert lines == [
        '1: level: expected one of "debug", "info", got "inof"; did you mean "info"?',
        "3: db.host: missing, expected text; set host in [db] or APP_DB__HOST",
        "4: db.port: expected a whole number from 1 to 65535, got 99999",
        "6: db.hots: unknown key; did you mean host?",
        "8: replicas[0]: minimum is above maximum",
        "13: replicas[1].host: expected text, got 5",
        "16: named.a.b: unknown key",
        "16: named.a.host: missing, expected text; set host in [named.a] or APP_NAMED__A__HOST",
        '17: named."odd key".port: expected a whole number from 1 to 65535, got "x"',
        'APP_DB__TIMEOUT: db.timeout: expected a duration ("30s", "1h30m", or seconds), got "soon"',
        "APP_WEIGHTS: weights: expected a list, each item a number (at least 2 entries), got a list of 1",
        "APP_BY_NUMBER__ONE: by_number.one: expected a whole number as key",
    ]


def test_the_report_has_a_heading_and_a_line_for_each(problems):
    """One problem stands alone."""
    error = ConfigError(problems(Settings, "level = 1\ndb = 2"))
    first, second, third = str(error).splitlines()
    assert first == "2 problems in the configuration"
    assert second.startswith("  ")
    assert third.endswith("app.toml:2: db: expected a table, got 2")
    assert str(ConfigError(error.problems[:1])) == str(error.problems[0])


def test_a_thousand_problems_are_cut_in_the_text_only():
    """The text stays readable; `problems` has all."""
    with pytest.raises(ConfigError) as caught:
        decode({"weights": ["x"] * 1000, "db": {"host": "h"}}, Settings)
    assert len(caught.value.problems) == 1000
    assert len(str(caught.value).splitlines()) == 102
    assert str(caught.value).endswith("and 900 more")


def test_an_error_is_a_value_error_with_a_standard_code_that_survives_pickling(problems):
    """Retry, HTTP statuses and exit codes go by the code."""
    error = ConfigError(problems(Settings, "level = 1"))
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, ValueError)
    assert (again.code, again.problems, str(again)) == ("validation", error.problems, str(error))
    assert isinstance(error.problems[0], Problem)


def test_a_problem_encodes_for_programs(problems):
    """An editor or a CI job gets fields, not text."""
    problem = msgspec.to_builtins(problems(Settings, "db.host = 'h'\nlevel = 1")[0])
    assert problem["path"] == "level"
    assert problem["origin"]["line"] == 2
    assert problem["expected"] == 'one of "debug", "info"'


def test_rules_of_post_init_are_reported_with_their_sections_path(problems):
    """A ValueError or TypeError is the section's problem, on the section's line; all are told."""

    class Strict(Struct):
        a: int = 0

        def __post_init__(self):
            if self.a:
                raise TypeError("a is set")

    class Outer(Struct):
        db: Db
        strict: Strict

        def __post_init__(self):
            raise ValueError("never reached while a section is wrong")

    document = "[db]\nhost = 'h'\nminimum = 11\n[strict]\na = 1"
    assert [(p.path, p.message, p.origin.line) for p in problems(Outer, document)] == [
        ("db", "minimum is above maximum", 1),
        ("strict", "a is set", 4),
    ]
    (problem,) = problems(Outer, "[db]\nhost = 'h'\n[strict]")
    assert (problem.path, problem.message) == ("", "never reached while a section is wrong")


def test_the_program_s_own_failures_are_not_dressed_up(loaded):
    """A KeyError in `__post_init__` is a fault of the program and stays one."""

    class Faulty(Struct):
        def __post_init__(self):
            raise KeyError("fault")

    with pytest.raises(KeyError):
        loaded(Faulty)


def test_hostile_text_cannot_control_a_terminal(problems):
    """Keys, values and variables are shown with control characters escaped, and cut."""
    document = '"\\u001b[2Jkey" = 1\n"a\\nb" = 2\nlevel = "\\u001b]0;x\\u0007"\n'
    found = problems(
        Settings,
        document + "db.host = 'h'",
        {"APP_\x1b[2J": "x"},
        unknown="error",
        unknown_env="error",
    )
    assert len(found) == 4
    assert all(str(problem).isprintable() for problem in found)
    (problem,) = problems(Settings, f"db.host = 'h'\nlevel = '{'x' * 10_000}'")
    assert len(str(problem)) < 300


def test_a_file_for_another_program_is_reported_quickly(problems):
    """Near names are looked for in a bounded number of problems only."""
    document = "".join(f"leve{n} = 1\n" for n in range(5000)) + "db.host = 'h'"
    found = problems(Settings, document, unknown="error")
    assert len(found) == 5000
    assert sum(1 for problem in found if problem.suggestion) == 100


class Vault(Struct):
    """Secrets by type, by mark, by name, and in places of their own."""

    key: Secret
    marked: Annotated[str, Meta(min_length=100, extra={"secret": True})]
    password: Annotated[str, Meta(min_length=100)]
    api_keys: list[Annotated[str, Meta(min_length=100)]]
    tokens: dict[str, Annotated[str, Meta(min_length=100)]]
    extra: dict[str, int]
    max_tokens: int
    url: Annotated[str, Meta(min_length=100)]
    nested: Db


def test_no_secret_is_ever_in_a_report(problems):
    """Secrets are masked whatever is wrong with them; a number of tokens is no secret."""
    document = """
        key = 11
        marked = "hunter2"
        password = "hunter2"
        api_keys = ["hunter2"]
        tokens = { a = "hunter2" }
        extra = { password = "hunter2" }
        max_tokens = "many"
        url = "https://ada:hunter2@example.org"
        nested = "hunter2"
    """
    found = problems(Vault, document)
    assert len(found) == 9
    assert [problem.got for problem in found] == [
        *["***"] * 6, '"many"', '"https://ada:***@example.org"', "***",
    ]  # fmt: skip
    env = {"APP_NESTED": "hunter2", "APP_API_KEYS": "[hunter2", "APP_TOKENS": '{"a": "hunter2"'}
    assert "hunter2" not in str(ConfigError(problems(Vault, document.replace("hunter2", "x"), env)))


def test_the_nearest_name_is_only_told_where_it_is_near(problems):
    """A bad guess is worse than none; a very long name is not compared at all."""
    found = problems(
        Settings, f"db.host = 'h'\nzzz = 1\nLevel = 2\n{'l' * 100_000} = 3", unknown="error"
    )
    assert [problem.suggestion for problem in found] == ["", "level", ""]
