"""A command's flags lie over a configuration, without an import between the two packages."""

from pathlib import Path

import pytest
from msgspec import Struct, field

from mist.cli import App, Command
from mist.config import Duration, explain, load


class Db(Struct):
    """A section."""

    host: str = "localhost"
    port: int = 5432
    timeout: Duration = 1.0


class Settings(Struct):
    """What a server is started with."""

    db: Db = field(default_factory=Db)
    ratio: float = 0.5
    verbose: bool = True
    hosts: list[str] = field(default_factory=list)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `acme serve ...` and give its exit status and the settings that it ran with."""
    monkeypatch.setenv("ACME_DB__HOST", "variable")
    file = tmp_path / "acme.toml"
    file.write_text("[db]\nhost = 'file'\nport = 1\n")
    seen: list[Settings] = []

    def run(command: Command, _: list[str]) -> None:
        seen.append(load(file, "ACME", Settings, flags=command))

    command = Command("serve", "Serve", run)
    command.add_string_flag("db-host")
    command.add_int_flag("db-port", 99)
    command.add_string_flag("db-timeout")
    command.add_float64_flag("ratio", 0.1)
    command.add_bool_flag("verbose")
    command.add_string_flag("unrelated", "x")
    app = App("acme", "1.0.0")
    app.add_command(command)
    app.add_string_flag("hosts")

    def execute(*argv: str) -> tuple[int, Settings | None]:
        seen.clear()
        status = app.execute(["serve", *argv])
        return status, seen[0] if seen else None

    return execute


def test_flags_that_were_given_win_and_their_defaults_do_not(serve):
    """The flag's default of 99 never hides the file's port; the application's flags count, too."""
    assert serve() == (0, Settings(Db("variable", 1)))
    argv = ["--db-host=flag", "--db-timeout=1m", "--no-verbose", "--ratio=0.25", "--hosts=a,b"]
    status, settings = serve(*argv)
    assert (status, settings) == (0, Settings(Db("flag", 1, 60.0), 0.25, False, ["a", "b"]))
    assert str(explain(settings)["db.timeout"].origin) == "--db-timeout"
    assert serve("--db-port", "2") == (0, Settings(Db("variable", 2)))


def test_a_wrong_configuration_is_one_line_and_exit_status_2(serve, capsys):
    """The error's code decides, and its report fits on the line of a command."""
    assert serve("--db-timeout", "soon", "--hosts", "[") == (2, None)
    line = capsys.readouterr().err
    assert line.startswith("acme: validation: 2 problems in the configuration; --db-timeout:")
    assert "; --hosts: hosts: expected a list" in line
    assert line.count("\n") == 1
