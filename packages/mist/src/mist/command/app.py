"""The mist command put together."""

from __future__ import annotations

from mist.cli import App, Command
from mist.command.declarations import (
    listen_command,
    ping_command,
    relay_command,
    send_command,
    validate_command,
)
from mist.command.demo.declaration import demo_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def build_app() -> App:
    """Return the mist command as an application that can be executed in this process."""
    app = App(
        "mist",
        _version,
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


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415  # longer than the rest of the start

    return version("mist")


def _version_command() -> Command:
    def run(_command: Command, _args: list[str]) -> None:
        from mist.protocol import version_info  # noqa: PLC0415  # only here

        print(f"mist {_version()} ({version_info()})")  # noqa: T201  # what was asked for

    return Command("version", "Show the version of mist and of the protocol", run, takes_args=False)
