"""The mist command put together."""

from importlib.metadata import version
from typing import NoReturn

from mist.cli import App, Command
from mist.command.demo.declaration import demo_command
from mist.command.listen import listen_command
from mist.command.ping import ping_command
from mist.command.relay import relay_command
from mist.command.send import send_command
from mist.command.validate import validate_command
from mist.protocol import version_info


def build_app() -> App:
    """Return the mist command as an application that can be executed in this process."""
    app = App(
        "mist",
        version("mist"),
        description=(
            "Check, send, relay and receive MIST messages.\n\n"
            "Where a command takes a URL, it also takes the path of a file, - for standard input"
            " or output, and host:port for an HTTP address."
        ),
    )
    for command in (
        validate_command(),
        relay_command(),
        listen_command(),
        send_command(),
        ping_command(),
        demo_command(),
        _version_command(),
    ):
        app.add_command(command)
    return app


def main() -> NoReturn:
    """Execute this process's command line and exit with its status."""
    build_app().main()


def _version_command() -> Command:
    def run(_command: Command, _args: list[str]) -> None:
        print(f"mist {version('mist')} ({version_info()})")  # noqa: T201  # what was asked for

    return Command("version", "Show the version of mist and of the protocol", run, takes_args=False)
