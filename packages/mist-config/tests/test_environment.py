"""Variables: nested names, dicts, secrets in files."""

import inspect
import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from mist.config import ConfigWarning, Secret, explain, load


class Server(Struct):
    """What a dict holds."""

    host: str = "h"
    port: int = 1


class Db(Struct):
    """A section that may be absent."""

    host: str
    password: Secret | None = None
    api_token: str = ""


@dataclass
class Settings:
    """Dicts of values and of sections, and an optional section."""

    labels: dict[str, str] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    db: Db | None = None
    log: str = "stderr"


def test_nested_names_reach_sections_that_the_file_lacks(loaded):
    """An optional section comes into being by its variables."""
    assert loaded(Settings).db is None
    assert loaded(Settings, env={"APP_DB__HOST": "x"}).db == Db("x")


def test_nested_names_add_to_a_dict_and_json_replaces_it(loaded):
    """A name below a dict is a key of it."""
    document = "[labels]\nteam = 'a'\nzone = 'z'"
    assert loaded(Settings, document, {"APP_LABELS__TEAM": "b"}).labels == {
        "team": "b",
        "zone": "z",
    }
    assert loaded(Settings, document, {"APP_LABELS": '{"x": "y"}'}).labels == {"x": "y"}
    both = {"APP_LABELS__TEAM": "b", "APP_LABELS": '{"x": "y"}'}
    assert loaded(Settings, document, both).labels == {"x": "y", "team": "b"}


def test_json_for_a_section_names_the_keys_that_it_changes(loaded):
    """A section keeps what the JSON does not say, as a table in TOML would."""
    made = loaded(Settings, "db.host = 'h'\ndb.api_token = 't'", {"APP_DB": '{"host": "x"}'})
    assert made.db == Db("x", api_token="t")
    assert explain(made)["db.host"].origin.name == "APP_DB"
    assert explain(made)["db.api_token"].origin.line == 2


def test_a_key_of_a_dict_keeps_the_spelling_it_has_in_the_file(loaded):
    """`__EU_WEST__` is the server `EU-West` where the file has one, else a new `eu_west`."""
    document = "[servers.EU-West]\nport = 2"
    made = loaded(
        Settings, document, {"APP_SERVERS__EU_WEST__HOST": "x", "APP_SERVERS__US__PORT": "3"}
    )
    assert made.servers == {"EU-West": Server("x", 2), "us": Server(port=3)}


@pytest.mark.parametrize(
    "name", ["APP_LABELS__", "APP_DB__", "APP___DB", "APP_DB__HOST__", "APP_LOG__X"]
)
def test_a_name_that_leads_nowhere_is_unknown(problems, name):
    """It is not taken for the table itself, or for what it starts with."""
    (problem,) = problems(Settings, env={name: "{}"}, unknown_env="error")
    assert (problem.origin.name, problem.message[:16]) == (name, "unknown variable")


def test_variables_are_in_upper_case(loaded):
    """Another case is another variable, and is said to be one."""
    with pytest.warns(ConfigWarning, match="app_log: unknown variable; did you mean APP_LOG"):
        assert loaded(Settings, env={"app_log": "x"}).log == "stderr"


def test_a_secret_can_be_in_a_file(loaded, tmp_path):
    """`_FILE` names the file; the line end behind the secret is not part of it."""
    secret = tmp_path / "secret"
    for content, expected in (("s3cret\n", "s3cret"), ("a\nb\r\n", "a\nb"), ("x", "x"), ("", "")):
        secret.write_text(content, newline="")
        env = {"APP_DB__HOST": "h", "APP_DB__PASSWORD_FILE": str(secret)}
        made = loaded(Settings, env=env)
        assert made.db.password == Secret(expected)
        assert explain(made)["db.password"].origin.name == "APP_DB__PASSWORD_FILE"
    env = {"APP_DB__HOST": "h", "APP_DB__API_TOKEN_FILE": str(secret)}
    assert loaded(Settings, env=env).db.api_token == ""


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (Path.exists, "No such file or directory"),
        (Path.mkdir, "Is a directory"),
        (lambda path: path.write_bytes(b"\xff"), "invalid start byte"),
        (lambda path: path.write_bytes(b"x" * (1 << 20) + b"x"), "larger than 1048576 bytes"),
    ],
)
def test_a_secret_that_cannot_be_read_names_variable_and_file(problems, tmp_path, make, why):
    """It is never taken for an empty one, and what is in it is not shown."""
    make(tmp_path / "secret")
    env = {"APP_DB__HOST": "h", "APP_DB__PASSWORD_FILE": str(tmp_path / "secret")}
    (problem,) = problems(Settings, env=env)
    assert str(problem).startswith("APP_DB__PASSWORD_FILE: db.password: ")
    assert str(tmp_path) in str(problem)
    assert why in str(problem)


def test_a_secret_and_its_file_cannot_both_be_set(problems, tmp_path):
    """Which one was meant is not guessed."""
    env = {
        "APP_DB__HOST": "h",
        "APP_DB__PASSWORD": "a",
        "APP_DB__PASSWORD_FILE": str(tmp_path / "s"),
    }
    (problem,) = problems(Settings, env=env)
    assert problem.origin.name == "APP_DB__PASSWORD_FILE"
    assert "APP_DB__PASSWORD is set too" in problem.message


def test_a_secret_that_is_required_and_cannot_be_read_is_one_problem(problems):
    """It is not said to be missing as well."""
    target = msgspec.defstruct("Target", [("password", Secret)])
    (problem,) = problems(target, env={"APP_PASSWORD_FILE": "/no/such/file"})
    assert "cannot be read" in problem.message


def test_without_a_prefix_no_file_variable_is_unknown():
    """`LOG_FILE` is another program's."""
    made = load(None, "", Settings, env={"LOG_FILE": "/x", "DB__HOST": "h"}, unknown_env="error")
    assert (made.log, made.db) == ("stderr", Db("h"))


def test_only_secrets_are_read_from_files(loaded, tmp_path):
    """`APP_LOG_FILE` is no file whose content is the value of `log`."""
    (tmp_path / "x").write_text("secret")
    with pytest.warns(ConfigWarning, match="APP_LOG_FILE: unknown variable"):
        assert loaded(Settings, env={"APP_LOG_FILE": str(tmp_path / "x")}).log == "stderr"


def test_a_field_whose_name_ends_in_file_is_a_field(loaded):
    """Its own variable goes before the convention."""
    target = msgspec.defstruct("Target", [("token", str, ""), ("token_file", str, "")])
    made = loaded(target, env={"APP_TOKEN_FILE": "/run/token"})
    assert (made.token, made.token_file) == ("", "/run/token")


def test_a_variable_reaches_over_a_wrong_value_in_the_file(loaded):
    """What is overridden is not judged."""
    target = msgspec.defstruct("Target", [("port", int)])
    assert loaded(target, "port = 'x'", {"APP_PORT": "1"}).port == 1


def test_a_variable_cannot_reach_into_what_is_no_table(problems):
    """The file's mistake is reported, and nothing crashes."""
    (problem,) = problems(Settings, "db = 5", {"APP_DB__HOST": "x"})
    assert (problem.path, problem.got, problem.origin.line) == ("db", "5", 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has text in its environment")
def test_a_path_that_is_not_utf8_reaches_its_file(loaded):
    """Python's form of such a name is kept for paths; elsewhere it is an error."""
    target = msgspec.defstruct("Target", [("path", Path)])
    assert loaded(target, env={"APP_PATH": "/x/\udcff"}).path == Path("/x/\udcff")


def test_the_signature_holds_no_variables(monkeypatch):
    """`help(load)` is on many a screen, and must not show what is secret; the variables count all the same."""
    monkeypatch.setenv("APP_LOG", "a value of the environment")
    assert "a value of the environment" not in str(inspect.signature(load))
    assert load(None, "app", Settings).log == "a value of the environment"
