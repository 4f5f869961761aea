"""An application: its commands, and how one of them is executed."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine

from mist.cli import stream
from mist.cli.builtin import completion_command, help_command, version_command
from mist.cli.error import DeclarationError, UsageError
from mist.cli.flagset import FlagSet, check_options
from mist.cli.group import only_member
from mist.cli.line import Line, asks_for
from mist.cli.parser import app_help
from mist.cli.report import json_line, one_line, untold
from mist.cli.suggest import did_you_mean
from mist.cli.termination import Terminated, Termination
from mist.errors import Code, MistError, code_of, exit_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import NoReturn

    from mist.cli.command import Command

_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_STATUSES = 0xFF  # all that a process can tell its parent


class App(FlagSet):
    """A command-line application.

    Flags declared on it are global: every command takes them, before its name or behind it.
    `--json` and `--debug` are there from the start, and so are the commands `version`,
    `completion` and `help`, each of which may be replaced.

    Args:
        name: as it is typed.
        version: what `version` and `--version` show, or a function that finds it out when it is
            asked for: that of an installed distribution takes longer than all else at the start.
        description: paragraphs for `--help`.
        env_prefix: what the variables that stand in for flags start with; by default the
            name, in upper case.
    """

    def __init__(
        self,
        name: str,
        version: str | Callable[[], str],
        *,
        description: str = "",
        env_prefix: str | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self._version = version
        self.description = description
        self.env_prefix = name if env_prefix is None else env_prefix
        self._own: dict[str, Command] = {}
        self._builtin: dict[str, Command] = {}
        for command in (version_command(self), completion_command(self), help_command(self)):
            command.parent = self
            self._builtin[command.name] = command
        self._executing = 0
        self.add_bool_flag("json", help="report an error as a JSON object")
        self.add_bool_flag("debug", help="show where an error comes from")

    @property
    def version(self) -> str:
        """What `version` and `--version` show."""
        return self._version if isinstance(self._version, str) else self._version()

    @property
    def commands(self) -> dict[str, Command]:
        """All commands by name: the application's own in the order they came, then the rest."""
        builtin = {name: c for name, c in self._builtin.items() if name not in self._own}
        return self._own | builtin

    def add_command(self, command: Command) -> None:
        """Add a command; it takes the place of a built-in one of the same name.

        Raises:
            DeclarationError: its name is taken, or one of its flags is a global one.
        """
        if command.name in self._own:
            raise DeclarationError(f"command {command.name!r} is declared already")
        for flag in command.flags.values():
            check_options(flag, self)
        command.parent = self
        self._own[command.name] = command

    def find(self, name: str) -> Command:
        """The command of that name.

        Raises:
            UsageError: there is none.
        """
        commands = self.commands
        if name not in commands:
            hint = did_you_mean(name, commands, f"'{self.name} --help' lists them")
            raise UsageError(f"unknown command {name!r}; {hint}")
        return commands[name]

    def execute(self, argv: Sequence[str] | None = None) -> int:
        """Execute one command line and return its exit status.

        Whatever ends the command is reported, on one line of stderr; nothing is raised. The
        status is what `run` returned, 0 for None; that of the code of the exception that
        `run` raised; 2 for a wrong command line; 130 after Ctrl-C; 128 + n after signal n;
        141, as for any filter, if stdout was closed by its reader.

        Args:
            argv: the words behind the program's name; None takes those of this process.
        """
        words = sys.argv[1:] if argv is None else list(argv)
        try:
            status = self._dispatch(words)
            _flush_stdout()
        except BaseException as exc:  # noqa: BLE001  # this is where every exception ends
            return self._conclude(only_member(exc), words)
        # 256 must not become success.
        return status and (status & _STATUSES or 1)

    def main(self) -> NoReturn:
        """Execute this process's command line and exit with its status.

        Standard streams that the process was started without are opened, so that nothing else
        takes their descriptors.
        """
        stream.replace_closed()
        sys.exit(self.execute())

    def _dispatch(self, words: list[str]) -> int:
        if not words:
            stream.write(app_help(self))
            return 0
        try:
            return self._execute(Line(self, words))
        except Terminated:
            raise
        except SystemExit as exc:
            if exc.code is None or isinstance(exc.code, int):
                return int(exc.code or 0)
            raise MistError(Code.INTERNAL, str(exc.code)) from None

    def _execute(self, line: Line) -> int:
        command = line.command
        former = self.state, command.state
        self.state, command.state = line.states(os.environ)
        self._executing += 1
        try:
            return _run(command, line.args)
        finally:
            self._executing -= 1
            if self._executing:
                # An execution inside another: the outer one goes on with what it had.
                self.state, command.state = former

    def _conclude(self, exc: BaseException, words: list[str]) -> int:
        """Report what ended the execution, and give its status."""
        if stream.reader_is_gone(exc):
            stream.discard(sys.stdout)
            return stream.CLOSED_PIPE_STATUS
        if not isinstance(exc, UsageError) and self._asked_for("debug", words, "MIST_DEBUG"):
            from traceback import format_exception  # noqa: PLC0415  # only to debug

            stream.write_error("".join(format_exception(exc)))
        try:
            status, line = self._told(exc, words)
        except Exception as failure:  # noqa: BLE001  # text and code are made by the application's code
            status, line = self._told(untold(exc, failure), words)
        stream.write_error(line)
        try:
            stream.flush()
        except OSError:
            stream.discard(sys.stdout)
        return status

    def _told(self, exc: BaseException, words: list[str]) -> tuple[int, str]:
        """The exit status for an exception, and the line that reports it."""
        status, error = _verdict(exc)
        as_json = self._asked_for("json", words)
        return status, json_line(error) if as_json else one_line(self.name, error)

    def _asked_for(self, switch: str, words: list[str], *variables: str) -> bool:
        """Whether a global switch is on, also for a line that could not be read."""
        variable = self.flags[switch].variable((self.env_prefix,))
        return asks_for(switch, words, (variable, *variables), os.environ)


def _run(command: Command, args: list[str]) -> int:
    if command.run is None:
        raise DeclarationError(f"command {command.name!r} has nothing to run")
    with Termination() as termination:
        status = command.run(command, args)
        if status is not None and not isinstance(status, int) and hasattr(status, "__await__"):
            status = _run_async(status, termination)
    if status is None:
        return 0
    # bool is an int, and True would be a failure.
    if isinstance(status, bool) or not isinstance(status, int):
        kind = type(status).__name__
        raise DeclarationError(
            f"command {command.name!r} returned a {kind}; return None or an exit status"
        )
    return status


def _run_async(awaitable: Awaitable[int | None], termination: Termination) -> int | None:
    import asyncio  # noqa: PLC0415  # a synchronous command does without

    from mist.cli.wakeup import woken_by_signals  # noqa: PLC0415  # imports asyncio

    async def main() -> int | None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        if task is not None:
            termination.cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        with woken_by_signals(loop):
            return await awaitable

    running = main()
    try:
        return asyncio.run(running)
    except asyncio.CancelledError:
        if termination.signum is None:
            raise
        raise Terminated(termination.signum) from None
    finally:
        termination.cancel = None
        # Where the loop never started them, they would complain of it.
        for coroutine in (running, awaitable):
            if isinstance(coroutine, Coroutine):
                coroutine.close()


def _flush_stdout() -> None:
    try:
        stream.flush()
    except OSError as exc:
        raise MistError(Code.INTERNAL, "cannot write to standard output", cause=exc) from exc


def _verdict(exc: BaseException) -> tuple[int, BaseException]:
    """The exit status for what ended a command, and the error to report."""
    if isinstance(exc, Terminated):
        return 128 + exc.signum, MistError(Code.CANCELLED, "terminated")
    if isinstance(exc, KeyboardInterrupt):
        return _INTERRUPTED, MistError(Code.CANCELLED, "interrupted")
    return exit_code(code_of(exc)), exc
