"""`mist demo`: the four tools of the stack at work."""

from __future__ import annotations

from mist.cli import Command
from mist.command.signals_held import signals_held
from mist.errors import Code, MistError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NEEDED = (
    "checkpoint", "circuitbreaker", "config", "health", "lifecycle", "logging", "metrics",
    "parallel", "platform", "retry", "server", "trace",
)  # fmt: skip


def demo_command() -> Command:
    """Return the command."""
    command = Command(
        "demo",
        "Watch the four tools of the stack evaluate a model",
        _run,
        description=(
            "schemaflux compiles a dataset, matchspec evaluates a model on it, infermux routes the"
            " calls to local stand-ins for models, which fail at times, and tokentrace watches cost"
            " and latency. The same seed gives the same results on every transport.\n\n"
            "Results go to standard output, progress to standard error. A run that was interrupted"
            " or killed goes on with --resume and its id, which is shown at its start."
        ),
        examples=[
            "mist demo",
            "mist demo --tasks 1000 --workers 16 --fail-rate 0.2 --seed 7",
            "mist demo --transport http",
            "mist demo --tasks 2000 --serve",
            "mist demo --format json",
        ],
        takes_args=False,
    )
    command.add_int_flag("tasks", 200, "how many tasks to evaluate")
    command.add_int_flag("workers", 16, "how many of them at a time")
    command.add_float64_flag("fail-rate", 0.1, "share of the model calls that fail, 0 to 1")
    command.add_int_flag("seed", 7, "what all chance comes from")
    command.add_float64_flag("latency", 0.04, "seconds that a call of the larger model takes")
    command.add_string_flag(
        "transport",
        "chan",
        "what carries the messages: in one process, or between four",
        choices=("chan", "http", "file", "stdio"),
    )
    command.add_string_flag("resume", "", "the run to go on with, by its id")
    command.add_string_flag(
        "dir", "", "where runs are kept (default ~/.local/state/mist-demo)", complete="directory"
    )
    command.add_bool_flag("serve", help="show the run live in a browser, until Ctrl-C")
    command.add_string_flag(
        "listen", "127.0.0.1:0", "where --serve listens; port 0 is any free one"
    )
    command.add_string_flag("format", "table", "of the report", choices=("table", "json"))
    return command


def _run(command: Command, _args: list[str]) -> int:
    return _load()(command)


def _load() -> Callable[[Command], int]:
    """Load the demo, which needs more packages than the other commands.

    Raises:
        MistError: Code `unavailable`: some of them are not installed; the text says how to get
            them.
    """
    from importlib.util import find_spec  # noqa: PLC0415  # for this command alone

    missing = [f"mist-{name}" for name in NEEDED if find_spec(f"mist.{name}") is None]
    if missing:
        raise MistError(
            Code.UNAVAILABLE,
            f"mist demo needs {', '.join(missing)} as well: in a checkout of the repository,"
            f" pip install {' '.join(f'./packages/{name}' for name in missing)}",
        )
    with signals_held():
        from mist.command.demo.running import run_demo  # noqa: PLC0415  # most of mist, for this command alone

    return run_demo
