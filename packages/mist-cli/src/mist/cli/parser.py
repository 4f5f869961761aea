"""The argparse form of commands and flags: for reading a line, for help, for completion."""

from __future__ import annotations

import argparse

from mist.cli import stream
from mist.cli.error import DeclarationError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn

    from mist.cli.app import App
    from mist.cli.command import Argument, Command
    from mist.cli.flag import Flag
    from mist.cli.flagset import FlagSet

    Add = Callable[..., argparse.Action]

# Before a flag's name in the namespace, so that no flag can meet an attribute of argparse's.
DEST = "flag "


class _Paragraphs(argparse.HelpFormatter):
    """Wraps each line of a description by itself, and leaves indented ones, such as examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002  # never any
        lines = text.splitlines()
        fill = super()._fill_text
        return "\n".join(line if line[:1].isspace() else fill(line, width, "") for line in lines)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises where argparse would exit."""

    def __init__(
        self,
        *,
        formatter_class: Any = _Paragraphs,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            add_help=False,
            allow_abbrev=False,
            formatter_class=formatter_class,
            **kwargs,
        )

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        if message.endswith("expected one argument"):
            message += "; one that starts with a dash needs '='"
        raise UsageError(message.removeprefix("argument "))

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Leave choices to `Flag.parse`, which knows the nearest one."""


class _Show(argparse.Action):
    """Shows a text and ends the program; argparse's own would not notice a full disk."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        *,
        text: Callable[[], str],
        help: str,  # noqa: A002  # argparse's word
    ) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)
        self._text = text

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002  # argparse's signature
        values: object,  # noqa: ARG002  # argparse's signature
        option_string: str | None = None,  # noqa: ARG002  # argparse's signature
    ) -> None:
        stream.write(self._text())
        parser.exit()


def _reading(prog: str) -> argparse.HelpFormatter:
    """The formatter of a parser that shows nothing: asking for a terminal's width costs 2 ms."""
    return argparse.HelpFormatter(prog, width=80)


def line_parser(app: App) -> Parser:
    """The parser of a whole line: global flags, then a command and everything behind it."""
    parser = Parser(prog=app.name, formatter_class=_reading)
    _add_app_flags(parser, app)
    command = parser.add_argument("command", metavar="<command>", nargs=argparse.PARSER)
    # That it is missing is for us to say.
    command.required = False
    return parser


def command_parser(app: App, command: Command) -> Parser:
    """The parser of the flags behind a command; positional arguments are what it leaves over."""
    parser = Parser(prog=f"{app.name} {command.name}", formatter_class=_reading)
    _add_command_flags(parser, app, command)
    return parser


def app_help(app: App) -> str:
    """What `--help` of the application shows."""
    parser = Parser(
        prog=app.name,
        usage=_literal(f"{app.name} <command> [flags]"),
        description=app.description or None,
        epilog=f"'{app.name} <command> --help' tells what a command takes.",
    )
    commands = parser.add_argument_group("commands")
    for command in app.commands.values():
        commands.add_argument(command.name, help=_literal(command.usage))
    _add_app_flags(parser, app)
    return parser.format_help()


def command_help(app: App, command: Command) -> str:
    """What `--help` of a command shows."""
    description = "\n\n".join(filter(None, (command.usage, command.description)))
    examples = "\n  ".join(("examples:", *command.examples)) if command.examples else None
    parser = Parser(
        prog=f"{app.name} {command.name}",
        usage=_literal(f"{app.name} {command.synopsis}"),
        description=description,
        epilog=examples,
    )
    _add_arguments(parser.add_argument_group("arguments").add_argument, command.arguments.values())
    _add_command_flags(parser, app, command)
    return parser.format_help()


def completion_parser(app: App) -> Parser:
    """The whole tree of commands, for shtab to walk."""
    parser = Parser(prog=app.name)
    _add_app_flags(parser, app)
    commands = parser.add_subparsers(metavar="<command>", parser_class=Parser)
    for command in app.commands.values():
        help_line = _literal(command.usage)
        child = commands.add_parser(command.name, help=help_line, description=command.usage)
        _add_arguments(child.add_argument, command.arguments.values())
        _add_command_flags(child, app, command)
    return parser


def _add_app_flags(parser: Parser, app: App) -> None:
    add = parser.add_argument_group("global flags").add_argument
    _add_help(add, lambda: app_help(app))
    add(
        "--version",
        action=_Show,
        text=lambda: f"{app.name} {app.version}\n",
        help="show the version and exit",
    )
    _add_flags(add, app, (app.env_prefix,))


def _add_command_flags(parser: Parser, app: App, command: Command) -> None:
    prefix = (app.env_prefix, command.name)
    _add_flags(parser.add_argument_group("flags").add_argument, command, prefix)
    add = parser.add_argument_group("global flags").add_argument
    _add_help(add, lambda: command_help(app, command))
    _add_flags(add, app, (app.env_prefix,))


def _add_help(add: Add, text: Callable[[], str]) -> None:
    add("-h", "--help", action=_Show, text=text, help="show this help and exit")


def _add_flags(add: Add, flags: FlagSet, env_prefix: Sequence[str]) -> None:
    for flag in flags.flags.values():
        try:
            _add_flag(add, flag, _flag_help(flag, flag.variable(env_prefix)))
        except argparse.ArgumentError:
            # A flag of the application that came after the command that has the same one.
            raise DeclarationError(f"{flag.option} is declared twice") from None


def _add_flag(add: Add, flag: Flag, help: str) -> None:  # noqa: A002  # argparse's word
    absent = {"dest": DEST + flag.name, "default": argparse.SUPPRESS}
    if flag.negation is None:
        metavar = "|".join(flag.choices) or flag.kind.removesuffix("64").upper()
        _complete(add(*flag.options, metavar=metavar, help=help, **absent), flag)
    elif flag.default:
        add(*flag.options, action=_Switch, help=help, **absent)
    else:
        # The way back to the default is there for scripts, and not worth a line of help.
        add(*flag.options[:-1], action=_Switch, help=help, **absent)
        add(flag.negation, action=_Switch, help=argparse.SUPPRESS, **absent)


class _Switch(argparse.Action):
    """`--name` and `--no-name`, kept as text like any other flag's value."""

    def __init__(self, option_strings: Sequence[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **kwargs)

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  # argparse's signature
        namespace: argparse.Namespace,
        values: object,  # noqa: ARG002  # argparse's signature
        option_string: str | None = None,
    ) -> None:
        off = option_string == "--no-" + self.dest.removeprefix(DEST)
        setattr(namespace, self.dest, "false" if off else "true")


def _add_arguments(add: Add, arguments: Iterable[Argument]) -> None:
    for argument in arguments:
        action = add(
            argument.name,
            metavar=f"<{argument.name}>",
            nargs=None if argument.arity == "1" else argument.arity,
            help=_literal(_noted(argument.help, argument.choices)),
        )
        _complete(action, argument)


def _complete(action: argparse.Action, declared: Flag | Argument) -> None:
    """Tell shtab what to complete; argparse itself never looks at either."""
    if declared.choices:
        action.choices = declared.choices
    elif declared.complete:
        vars(action)["complete"] = declared.complete


def _flag_help(flag: Flag, variable: str) -> str:
    notes: list[str] = []
    if flag.kind == "bool":
        notes += ["default: on"] if flag.default else []
    elif flag.default != "":
        notes.append(f"default: {flag.default}")
    if variable:
        notes.append(f"env: {variable}")
    return _literal(_noted(flag.help, notes))


def _noted(text: str, notes: Sequence[str]) -> str:
    return f"{text} ({', '.join(notes)})".lstrip() if notes else text


def _literal(text: str) -> str:
    """A usage or help text that argparse's own formatting leaves as it is."""
    return text.replace("%", "%%")
