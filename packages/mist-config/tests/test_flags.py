"""Overrides, and the flags of a command."""

from typing import Literal

import pytest
from msgspec import Struct, field

from mist.config import Duration, explain


class Db(Struct):
    """A section."""

    host: str = "localhost"
    port: int = 1
    max_wait: Duration = 1.0


class Settings(Struct):
    """What the flags are for."""

    db: Db = field(default_factory=Db)
    level: Literal["debug", "info"] = "info"
    verbose: bool = True
    ratio: float = 0.5
    hosts: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


def test_flags_that_the_command_line_gave_lay_over_fields_of_their_names(loaded, command):
    """`--db-max-wait` is `db.max_wait`; each kind of flag fits, and text is read as in a variable."""
    given = {
        "db-host": "h", "db-port": 2, "db-max-wait": "1m", "verbose": False, "ratio": 0.25,
        "hosts": "a,b", "level": "debug",
    }  # fmt: skip
    made = loaded(Settings, flags=command(given))
    assert made == Settings(Db("h", 2, 60.0), "debug", False, 0.25, ["a", "b"])
    assert str(explain(made)["db.max_wait"].origin) == "--db-max-wait"


def test_flags_that_were_not_given_and_fields_without_a_flag_change_nothing(loaded, command):
    """A flag's own default never hides what the file says."""
    made = loaded(Settings, "ratio = 0.75", flags=command({"db-port": 2}, declared=["ratio"]))
    assert made == Settings(Db(port=2), ratio=0.75)


def test_a_wrong_flag_is_an_error_that_names_it_as_it_was_typed(problems, command):
    """The field is named, too."""
    (problem,) = problems(Settings, flags=command({"db-max-wait": "soon"}))
    assert str(problem).startswith("--db-max-wait: db.max_wait: expected a duration")


def test_overrides_go_by_dotted_path_with_text_or_values(loaded):
    """Text is read as in a variable; a mapping changes the keys that it names; None is none."""
    over = {
        "db.port": "2", "db": {"max_wait": "1m"}, "ratio": 1, "hosts": ["a"], "labels.a.b": "c",
        "db.max-wait": 3,
    }  # fmt: skip
    made = loaded(Settings, "db.host = 'h'", overrides=over)
    assert made == Settings(Db("h", 2, 3.0), ratio=1.0, hosts=["a"], labels={"a.b": "c"})
    assert str(explain(made)["db.port"].origin) == "override db.port"
    assert str(explain(made)["db.host"].origin).endswith("app.toml:1")


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"db.prot": 1}, "override db.prot: unknown key; did you mean db.port?"),
        ({"db.port.x": 1}, "override db.port.x: unknown key; did you mean db.port?"),
        ({"": 1}, "override : unknown key"),
        ({"db.port": "x"}, 'override db.port: expected a whole number, got "x"'),
        ({"db.port": None}, "override db.port: expected a whole number, got nothing"),
        ({"db": 1}, "override db: expected a table, got 1"),
        ({"db": {"prot": 1}}, "override db: unknown key; did you mean port?"),
    ],
)
def test_a_wrong_override_is_an_error_that_names_it(problems, overrides, text):
    """An unknown one is never only a warning: the program gave it."""
    (problem,) = problems(Settings, overrides=overrides, unknown="error")
    assert str(problem) == text


def test_what_lies_over_is_told_from_what_it_replaced(loaded):
    """A dict that is replaced as a whole takes the origins of its keys with it."""
    env = {"APP_LABELS__A": "1"}
    made = loaded(Settings, env=env, overrides={"labels": {"A": "2"}})
    assert str(explain(made)["labels.A"].origin) == "override labels"
