"""What --help says."""

import pytest

from mist.cli import App, Command


@pytest.fixture
def app(monkeypatch):
    """An application with one command that has everything help can show."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    relay = Command(
        "relay",
        "Relay messages, 100% of them",
        lambda _c, _a: None,
        description="Waits where the target is slow.",
        examples=["mist relay a.jsonl http://host", "mist relay --rate 5 a b"],
    )
    relay.add_argument("src", "where from", choices=("a", "b"))
    relay.add_argument("dst", "where to", arity="+")
    relay.add_float64_flag("rate", 2.5, "messages per second, 50% at most", short="r")
    relay.add_bool_flag("follow", help="go on at the end")
    relay.add_bool_flag("check", default=True, help="check each")
    relay.add_string_flag("form", "json", "output", choices=("json", "text"), env="FORM")
    relay.add_string_flag("secret", help="never in a variable", env="")
    app = App("mist", "1.0", description="Moves messages.")
    app.add_command(relay)
    return app


RELAY_HELP = """\
usage: mist relay [flags] <src> <dst>...

Relay messages, 100% of them

Waits where the target is slow.

arguments:
  <src>                 where from (a, b)
  <dst>                 where to

flags:
  -r FLOAT, --rate FLOAT
                        messages per second, 50% at most (default: 2.5, env:
                        MIST_RELAY_RATE)
  --follow              go on at the end (env: MIST_RELAY_FOLLOW)
  --check, --no-check   check each (default: on, env: MIST_RELAY_CHECK)
  --form json|text      output (default: json, env: FORM)
  --secret STRING       never in a variable

global flags:
  -h, --help            show this help and exit
  --json                report an error as a JSON object (env: MIST_JSON)
  --debug               show where an error comes from (env: MIST_DEBUG)

examples:
  mist relay a.jsonl http://host
  mist relay --rate 5 a b
"""

APP_HELP = """\
usage: mist <command> [flags]

Moves messages.

commands:
  relay       Relay messages, 100% of them
  version     Print the version and exit
  completion  Print a script that completes commands and flags in a shell
  help        Show the help of the application or of a command

global flags:
  -h, --help  show this help and exit
  --version   show the version and exit
  --json      report an error as a JSON object (env: MIST_JSON)
  --debug     show where an error comes from (env: MIST_DEBUG)

'mist <command> --help' tells what a command takes.
"""


@pytest.mark.parametrize(
    "line", ["relay --help", "relay -h", "relay a -h --nonsense", "help relay"]
)
def test_a_commands_help_shows_all_it_takes(app, capsys, line):
    """Usage, arguments, flags with defaults and variables, and examples; exit 0."""
    assert app.execute(line.split()) == 0
    out, err = capsys.readouterr()
    # Python 3.13 joins `-r FLOAT, --rate FLOAT` to `-r, --rate FLOAT`.
    assert _unwrapped(out) == _unwrapped(RELAY_HELP)
    assert err == ""


@pytest.mark.parametrize("line", ["", "--help", "-h", "help", "--json --help"])
def test_the_applications_help_lists_the_commands(app, capsys, line):
    """No words at all, --help and `help` list what there is; exit 0."""
    assert app.execute(line.split()) == 0
    assert capsys.readouterr().out == APP_HELP


def test_arguments_without_a_declaration_are_shown_as_such(capsys):
    """A command that takes whatever there is says so."""
    app = App("mist", "1.0")
    app.add_command(Command("echo", "Say it again", lambda _command, _args: None))
    assert app.execute(["echo", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: mist echo [flags] [args...]\n")


def test_descriptions_are_wrapped_and_examples_are_not(capsys, monkeypatch):
    """Paragraphs fit the terminal, lines stay apart, and an example can be copied."""
    example = f"mist echo {'word ' * 20}now"
    app = App("mist", "1.0")
    app.add_command(
        Command(
            "echo",
            "Say it again",
            lambda _command, _args: None,
            description=f"{'more ' * 30}\n\nFirst.\nSecond.",
            examples=[example],
        )
    )
    monkeypatch.setenv("COLUMNS", "50")
    assert app.execute(["echo", "--help"]) == 0
    out = capsys.readouterr().out
    assert f"\n  {example}\n" in out
    assert "\nFirst.\nSecond.\n" in out
    assert max(len(line) for line in out.splitlines() if example not in line) <= 50


def _unwrapped(text: str) -> str:
    return " ".join(text.replace("-r FLOAT, --rate FLOAT", "-r, --rate FLOAT").split())


def test_a_version_may_be_a_function(capsys):
    """It is called when the version is asked for, and not before."""
    asked = []

    def version():
        asked.append(True)
        return "1.2.3"

    app = App("mist", version)
    assert app.execute(["--help"]) == 0
    assert not asked
    capsys.readouterr()
    assert (app.execute(["--version"]), app.execute(["version"])) == (0, 0)
    assert capsys.readouterr().out == "mist 1.2.3\n" * 2
