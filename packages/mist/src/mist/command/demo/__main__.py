"""`python -m mist.command.demo TOOL`: one tool of a run that `mist demo` has started."""

from functools import partial
from importlib.metadata import version
from pathlib import Path

from mist.cli import App, Command
from mist.command.demo.hosting import Host
from mist.command.demo.mail import TOOLS
from mist.lifecycle import run


def _tool(name: str) -> Command:
    command = Command(name, f"Be the {name} of a run", partial(_run, name), takes_args=False)
    command.add_string_flag("config", "", "the run's settings", env="")
    command.add_string_flag("stage", "", "where the stage takes messages", env="")
    return command


def _run(tool: str, command: Command, _args: list[str]) -> None:
    host = Host(tool, Path(command.get_string("config")), command.get_string("stage"))
    run(host.run, drain_timeout=1.0, shutdown_timeout=2.0)


if __name__ == "__main__":
    app = App("mist-demo", version("mist"))
    for tool in TOOLS:
        app.add_command(_tool(tool))
    app.main()
