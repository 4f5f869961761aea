"""The commands that every application has: version, completion and help."""

from __future__ import annotations

from mist.cli import stream
from mist.cli.command import Command
from mist.cli.parser import app_help, command_help, completion_parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mist.cli.app import App

_SHELLS = ("bash", "zsh", "fish")


def version_command(app: App) -> Command:
    """`version` prints name and version."""

    def run(_command: Command, _args: list[str]) -> None:
        stream.write(f"{app.name} {app.version}\n")

    return Command("version", "Print the version and exit", run, takes_args=False)


def completion_command(app: App) -> Command:
    """`completion <shell>` prints a script."""

    def run(command: Command, _args: list[str]) -> None:
        from shtab import complete  # noqa: PLC0415  # a tenth of a second, and only here

        shell = command.get_argument("shell")
        stream.write(complete(completion_parser(app), shell) + "\n")

    command = Command(
        "completion",
        "Print a script that completes commands and flags in a shell",
        run,
        examples=(
            f"{app.name} completion bash > ~/.local/share/bash-completion/completions/{app.name}",
            f"{app.name} completion zsh > ~/.zfunc/_{app.name}   # with ~/.zfunc in $fpath",
            f"{app.name} completion fish > ~/.config/fish/completions/{app.name}.fish",
        ),
    )
    command.add_argument("shell", "the shell to complete in", choices=_SHELLS)
    return command


def help_command(app: App) -> Command:
    """`help [command]` is `[command] --help`."""

    def run(command: Command, _args: list[str]) -> None:
        name = command.get_argument("command")
        text = command_help(app, app.find(name)) if name else app_help(app)
        stream.write(text)

    command = Command("help", "Show the help of the application or of a command", run)
    command.add_argument("command", "whose help to show", arity="?")
    return command
