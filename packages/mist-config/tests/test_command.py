"""`python -m mist.config`, run as a person runs it."""

import os
import subprocess
import sys

import pytest

MODULE = """
import os
from dataclasses import dataclass, field
from msgspec import Struct
from mist.config import Secret, Duration

class Db(Struct):
    host: str
    password: Secret | None = None
    wait: Duration = 30.0

@dataclass
class Settings:
    db: Db
    labels: dict[str, str] = field(default_factory=dict)
    level: str = "info"

class Outer:
    Inner = Settings

class Given(Struct):
    db: Db = Db("fallback") if False else field(default_factory=lambda: Db("fallback")) if False else None

@dataclass
class Wrong:
    call: type(lambda: 0)
"""


@pytest.fixture
def run(tmp_path):
    """Run the command in a directory with a module and a file."""
    (tmp_path / "acme_settings.py").write_text(MODULE)
    (tmp_path / "acme_broken.py").write_text("1 / 0")
    (tmp_path / "acme_lacking.py").write_text("import acme_nowhere")
    (tmp_path / "good.toml").write_text("db.host = 'h'\n")
    (tmp_path / "bad.toml").write_text("lebel = 1\n[db]\nwait = 'soon'\n")
    (tmp_path / "typo.toml").write_text("db.host = 'h'\nlebel = 1\n")

    def command(*args, **env):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ACME")}
        return subprocess.run(
            [sys.executable, "-m", "mist.config", *args],
            cwd=tmp_path,
            env=kept | {"COLUMNS": "120"} | env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


def test_check_is_silent_where_nothing_is_wrong(run):
    """Exit status 0; the working directory is searched for the module, nested names are found."""
    for target in ("acme_settings:Settings", "acme_settings:Outer.Inner"):
        ran = run("check", "good.toml", target)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_check_reports_every_problem_on_stderr(run):
    """Exit status 2; the environment counts only if asked for."""
    ran = run(
        "check", "bad.toml", "acme_settings:Settings", "--unknown", "error", ACME_DB__WAIT="x"
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "3 problems in the configuration\n"
        "  bad.toml:1: lebel: unknown key; did you mean level?\n"
        "  bad.toml:2: db.host: missing, expected text; set host in [db]\n"
        '  bad.toml:3: db.wait: expected a duration ("30s", "1h30m", or seconds), got "soon"\n'
    )
    ran = run(
        "check",
        "good.toml",
        "acme_settings:Settings",
        "--prefix",
        "acme",
        "--env",
        ACME_DB__WAIT="x",
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("ACME_DB__WAIT: db.wait: expected a duration")


def test_check_warns_of_unknown_keys_and_still_passes(run):
    """As the program itself would."""
    ran = run("check", "typo.toml", "acme_settings:Settings")
    assert (ran.returncode, ran.stderr) == (
        0,
        "warning: typo.toml:2: lebel: unknown key; did you mean level?\n",
    )


def test_explain_shows_each_value_and_no_secret(run):
    """The table is on stdout, for a pipe or a pager."""
    env = {"ACME_DB__PASSWORD": "hunter2"}
    ran = run("explain", "good.toml", "acme_settings:Settings", "--prefix", "acme", "--env", **env)
    assert ran.returncode == 0
    assert ran.stdout == (
        'db.host      "h"     good.toml:1\n'
        "db.password  ***     ACME_DB__PASSWORD\n"
        "db.wait      30.0    default\n"
        "labels       {}      default\n"
        'level        "info"  default\n'
    )


def test_env_lists_every_variable(run):
    """With the key, the default and what belongs in it: the reference page of a program."""
    ran = run("env", "acme_settings:Settings", "--prefix", "acme")
    assert ran.returncode == 0
    assert ran.stdout == (
        "ACME_DB__HOST      db.host      required  text\n"
        "ACME_DB__PASSWORD  db.password  nothing   text or nothing\n"
        'ACME_DB__WAIT      db.wait      30.0      a duration ("30s", "1h30m", or seconds)\n'
        "ACME_LABELS        labels       {}        a table, each value text\n"
        'ACME_LEVEL         level        "info"    text\n'
    )


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        ("acme_nowhere:Settings", 3, "there is no module acme_nowhere\n"),
        ("acme_settings.deep:Settings", 3, "there is no module acme_settings.deep\n"),
        ("acme_lacking:X", 3, "there is no module acme_nowhere, which acme_lacking imports\n"),
        ("acme_settings:Nothing", 3, "acme_settings has no Nothing\n"),
        ("acme_broken:X", 1, "acme_broken fails to import: ZeroDivisionError: division by zero\n"),
        ("acme_settings:os", 1, "is no msgspec Struct and no dataclass\n"),
        ("acme_settings:Wrong", 1, "Wrong.call: function is not supported in a configuration"),
        ("acme_settings", 2, "acme_settings: write it as module:Type\n"),
        ("acme_settings:", 2, "write it as module:Type\n"),
    ],
)
def test_a_type_that_cannot_be_had_is_one_clear_line(run, target, status, text):
    """The exit status tells whose fault it is; there is no traceback."""
    ran = run("check", "good.toml", target)
    assert ran.returncode == status
    assert text in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_missing_file_is_a_wrong_configuration(run):
    """It is named."""
    ran = run("check", "none.toml", "acme_settings:Settings")
    assert ran.returncode == 2
    assert ran.stderr.startswith("none.toml: no such file")


def test_help_says_how_to_use_it_and_what_the_exit_status_means(run):
    """A person needs no other page."""
    text = run("--help").stdout
    for word in ("check", "explain", "env", "examples:", "exit status:", "--prefix ACME --env"):
        assert word in text
    assert "module:Type" in run("check", "--help").stdout
    assert run().returncode == 2


def test_the_environment_needs_a_prefix(run):
    """Otherwise PATH and HOME would be candidates."""
    ran = run("check", "good.toml", "acme_settings:Settings", "--env")
    assert ran.returncode == 2
    assert "--env needs --prefix" in ran.stderr
