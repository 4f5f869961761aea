"""Files, what is laid over them, and what wins."""

import copy
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec import Struct, defstruct, field

from mist.config import ConfigError, ConfigTypeError, ConfigWarning, decode, explain, load


class Db(Struct):
    """A section."""

    host: str = "localhost"
    port: int = 5432
    labels: dict[str, str] = {}


class Settings(Struct):
    """What most tests here load."""

    name: str = "default"
    db: Db = field(default_factory=Db)


def test_defaults_file_variables_overrides_flags_in_this_order(loaded, command):
    """Each source lays over the one before, field by field."""
    document = "name = 'file'\n[db]\nhost = 'file'\nport = 1"
    assert loaded(Settings) == Settings()
    assert loaded(Settings, document) == Settings("file", Db("file", 1))
    env = {"APP_NAME": "env", "APP_DB__HOST": "env"}
    assert loaded(Settings, document, env) == Settings("env", Db("env", 1))
    over = {"db.host": "override"}
    assert loaded(Settings, document, env, overrides=over).db == Db("override", 1)
    made = loaded(Settings, document, env, overrides=over, flags=command({"db-host": "flag"}))
    assert made == Settings("env", Db("flag", 1))


def test_the_environment_of_the_process_is_the_default(toml, monkeypatch):
    """Without `env` the variables of this process count; with `{}` none do."""
    monkeypatch.setenv("APP_NAME", "process")
    assert load(toml(""), "APP", Settings).name == "process"
    assert load(toml(""), "APP", Settings, env={}).name == "default"


@pytest.mark.parametrize("prefix", ["app", "APP", "APP_", "App"])
def test_a_prefix_may_be_written_in_any_case_with_or_without_its_underscore(toml, prefix):
    """Variables are in upper case whatever the prefix looks like."""
    assert load(toml(""), prefix, Settings, env={"APP_NAME": "x"}).name == "x"


def test_a_prefix_with_a_dash_becomes_one_with_an_underscore(toml):
    """A tool's name is its prefix."""
    assert load(toml(""), "my-app", Settings, env={"MY_APP_NAME": "x"}).name == "x"


def test_an_empty_prefix_takes_bare_names_and_knows_no_unknown_ones(toml):
    """With no prefix, PATH and HOME are nobody's misspelling."""
    env = {"NAME": "x", "DB__HOST": "h", "PATH": "/bin", "DB__HOTS": "typo"}
    made = load(toml(""), "", Settings, env=env, unknown_env="error")
    assert made == Settings("x", Db("h"))


def test_no_path_means_no_file():
    """Defaults and variables are a configuration, too."""
    assert load(None, "APP", Settings, env={"APP_NAME": "x"}).name == "x"


def test_an_optional_file_may_be_missing(tmp_path):
    """What is missing is neither an error nor a warning; variables still count."""
    missing = tmp_path / "none.toml"
    made = load(missing, "APP", Settings, env={"APP_NAME": "x"}, optional=True)
    assert made == Settings("x")


def test_a_missing_file_is_an_error_that_names_it_and_the_remedy(tmp_path):
    """Other problems are in the same report."""
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigError) as caught:
        load(missing, "APP", Settings, env={"APP_DB__PORT": "x"})
    first, second = caught.value.problems
    assert str(first).startswith(f"{missing}: no such file: create it")
    assert "optional=True" in str(first)
    assert second.origin.name == "APP_DB__PORT"


def test_optional_excuses_nothing_but_absence(tmp_path):
    """A directory in the file's place, or a broken link's target, is told apart from no file."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, "APP", Settings, env={}, optional=True)


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="nothing is unreadable to this user",
)
def test_an_unreadable_file_is_an_error_that_names_it(toml):
    """Permission trouble is a ConfigError as any other."""
    file = toml("")
    file.chmod(0)
    with pytest.raises(ConfigError, match=r"app\.toml: cannot be read: Permission denied"):
        load(file, "APP", Settings, env={}, optional=True)


def test_a_name_that_cannot_be_a_file_is_an_error():
    """A null character in the path is the user's mistake, not a crash."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load("a\0b", "APP", Settings, env={})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_can_be_the_file(tmp_path):
    """`<(generate-config)` in a shell is a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("name = 'piped'",))
    writer.start()
    assert load(pipe, "APP", Settings, env={}).name == "piped"
    writer.join()


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(loaded, problems):
    """What Notepad saves loads, and its lines are counted right."""
    document = "\ufeffname = 'x'\r\n[db]\r\nport = 1\r\n".encode()
    assert loaded(Settings, document) == Settings("x", Db(port=1))
    (problem,) = problems(Settings, document.replace(b"= 1", b"= 'a'"))
    assert problem.origin.line == 3


def test_a_file_that_is_not_utf8_is_placed(problems):
    """The line of the first wrong byte is named."""
    (problem,) = problems(Settings, "name = 'a'\n# caf\xe9\n".encode("latin-1"))
    assert str(problem).endswith("app.toml:2: not UTF-8: byte 0xe9; save it as UTF-8")


def test_all_inputs_stay_as_they_are(toml):
    """Neither the environment nor a mapping is changed, at any depth, nor shared."""
    env = {"APP_DB__LABELS__A": "1"}
    overrides = {"db": {"labels": {"b": "2"}, "port": 3}, "db.labels.c": "4"}
    before = copy.deepcopy((env, overrides))
    made = load(toml(""), "APP", Settings, env=MappingProxyType(env), overrides=overrides)
    assert made.db == Db(port=3, labels={"b": "2", "c": "4"})
    assert (env, overrides) == before
    mapping = MappingProxyType({"db": MappingProxyType({"labels": {"a": "1"}, "host": "h"})})
    decoded = decode(mapping, Settings)
    decoded.db.labels["b"] = "2"
    assert mapping["db"]["labels"] == {"a": "1"}


def test_free_form_values_are_not_shared_with_the_mapping():
    """A field without a type is the configuration's own, too."""

    @dataclass
    class Free:
        anything: object

    mapping = {"anything": {"deep": [1]}}
    decode(mapping, Free).anything["deep"].append(2)
    assert mapping == {"anything": {"deep": [1]}}


def test_two_loads_share_nothing(loaded):
    """A default that is a section or a list is made anew."""
    first, second = loaded(Settings), loaded(Settings)
    first.db.labels["a"] = "1"
    assert second.db.labels == loaded(Settings).db.labels == {}


def test_unknown_keys_and_variables_warn_fail_or_are_ignored_by_choice(loaded, problems):
    """Both choices are made on their own; a warning is where `load` was called."""
    document, env = "naem = 'x'\n[db]\nhots = 'h'", {"APP_DB_HOST": "x", "app_name": "y"}
    with pytest.warns(ConfigWarning) as caught:
        loaded(Settings, document, env)
    assert [
        str(each.message).partition("app.toml:")[2] or str(each.message) for each in caught
    ] == [
        "1: naem: unknown key; did you mean name?",
        "3: db.hots: unknown key; did you mean host?",
        "APP_DB_HOST: unknown variable; did you mean APP_DB__HOST?",
        "app_name: unknown variable; did you mean APP_NAME?",
    ]
    assert {Path(each.filename).name for each in caught} == {"conftest.py"}
    assert loaded(Settings, document, env, unknown="ignore", unknown_env="ignore") == Settings()
    found = problems(Settings, document, env, unknown="error", unknown_env="ignore")
    assert [problem.suggestion for problem in found] == ["name", "host"]
    found = problems(Settings, document, env, unknown="ignore", unknown_env="error")
    assert [problem.suggestion for problem in found] == ["APP_DB__HOST", "APP_NAME"]


def test_many_unknown_keys_make_a_bounded_number_of_warnings(loaded):
    """A file for another program does not flood the terminal."""
    with pytest.warns(ConfigWarning) as caught:
        loaded(Settings, "".join(f"key{n} = 1\n" for n in range(1000)))
    assert len(caught) == 20


def test_loading_at_once_in_many_threads_gives_each_its_own(toml):
    """Nothing is shared but what a type says, and where values come from stays right."""
    file, wrong = toml("name = 'x'"), []

    def work(number: int) -> None:
        for step in range(50):
            made = load(file, "APP", Settings, env={"APP_DB__PORT": f"{number}{step:03}"})
            if made.db.port != int(f"{number}{step:03}") or explain(made)["name"].value != '"x"':
                wrong.append(made)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_key_that_is_not_text_is_an_unknown_key():
    """A mapping that a program made may have any."""
    with pytest.raises(ConfigError, match=r"^5: unknown key$"):
        decode({5: 1}, Settings, unknown="error")


def test_decode_takes_a_mapping_only():
    """A list is a mistake of the program, not of the configuration."""
    with pytest.raises(ConfigTypeError, match="expected a mapping, got list"):
        decode([], Settings)


@pytest.mark.parametrize(
    "document", ["x = 1\nfree." + "a." * 150 + "a = 1", "free = " + "[" * 3000]
)
def test_what_is_nested_beyond_reason_is_one_clear_error(problems, document):
    """A generated file cannot exhaust the stack, here or in the program."""
    target = defstruct("Target", [("x", int), ("free", object)])
    (problem,) = problems(target, document)
    assert problem.message.endswith("nested too deeply")
