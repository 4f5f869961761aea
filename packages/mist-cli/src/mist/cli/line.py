"""A command line, read: which command, which values, which arguments."""

from __future__ import annotations

import re

from mist.cli.error import UsageError
from mist.cli.flag import parse_bool
from mist.cli.flagset import FlagSet, State
from mist.cli.parser import DEST, command_parser, line_parser
from mist.cli.suggest import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mist.cli.app import App
    from mist.cli.command import Command

_NEGATIVE_NUMBER = re.compile(r"-\.?[0-9]")


class Line:
    """What one command line says; nothing of it is kept by the application.

    Args:
        app: whose commands and flags it uses.
        argv: the words behind the program's name.

    Raises:
        UsageError: it says nothing that the application understands.
        SystemExit: it asked for help or the version, which is on stdout now.
    """

    def __init__(self, app: App, argv: Sequence[str]) -> None:
        self._app = app
        # What stands behind the first "--" is never a flag; argparse's versions differ on it.
        end = argv.index("--") if "--" in argv else len(argv)
        words, self.args = list(argv[:end]), list(argv[end + 1 :])
        namespace = vars(line_parser(app).parse_args(_plain_switches(words, app)))
        self._shared = _texts(namespace)
        if not namespace["command"]:
            raise UsageError(f"missing command; '{app.name} --help' lists them")
        name, *rest = namespace["command"]
        self.command: Command = app.find(name)
        self._local: dict[str, str] = {}
        self._read(rest)

    def states(self, environ: Mapping[str, str]) -> tuple[State, State]:
        """What the line and the environment give the application, and the command.

        Raises:
            UsageError: a value is not of its flag's kind, or arguments are missing or left over.
        """
        app, command = self._app, self.command
        shared = _values(app, self._shared, (app.env_prefix,), environ)
        values = _values(command, self._local, (app.env_prefix, command.name), environ)
        texts = command.share_out(self.args, app.name)
        return State(shared, self._shared.keys()), State(values, self._local.keys(), texts)

    def _read(self, words: list[str]) -> None:
        words = _plain_switches(words, self.command, self._app)
        namespace, left = command_parser(self._app, self.command).parse_known_args(words)
        for word in left:
            if word.startswith("-") and word != "-" and not _NEGATIVE_NUMBER.match(word):
                # Without its value, which may be a secret.
                flag = word.partition("=")[0]
                raise UsageError(f"unknown flag {flag}; {self._flag_hint(word)}")
        texts = _texts(vars(namespace))
        self._local = {name: text for name, text in texts.items() if name in self.command.flags}
        self._shared |= {name: text for name, text in texts.items() if name in self._app.flags}
        self.args[:0] = left

    def _flag_hint(self, word: str) -> str:
        flags = [*self.command.flags.values(), *self._app.flags.values()]
        options = ["--help", *(option for flag in flags for option in flag.options)]
        typed = "--" + word.lstrip("-").partition("=")[0]
        otherwise = f"'{self._app.name} {self.command.name} --help' lists them"
        return did_you_mean(typed, [option for option in options if option[1] == "-"], otherwise)


def _plain_switches(words: list[str], *flagsets: FlagSet) -> list[str]:
    """`--name=false`, Go's way to set a switch, as `--no-name`; argparse has no such form."""
    switches = {
        flag.option: flag
        for flagset in flagsets
        for flag in flagset.flags.values()
        if flag.negation is not None
    }
    plain: list[str] = []
    for word in words:
        option, equals, text = word.partition("=")
        if equals and (flag := switches.get(option)):
            on = flag.parse(text, option)
            plain.append(option if on else str(flag.negation))
        else:
            plain.append(word)
    return plain


def _texts(namespace: Mapping[str, str]) -> dict[str, str]:
    return {
        dest.removeprefix(DEST): text for dest, text in namespace.items() if dest.startswith(DEST)
    }


def _values(
    flagset: FlagSet,
    texts: Mapping[str, str],
    env_prefix: Sequence[str],
    environ: Mapping[str, str],
) -> dict[str, str | float]:
    """Command line before environment; what neither has is left to the default."""
    values: dict[str, str | float] = {}
    for flag in flagset.flags.values():
        variable = flag.variable(env_prefix)
        if flag.name in texts:
            values[flag.name] = flag.parse(texts[flag.name], flag.option)
        elif variable and environ.get(variable):
            values[flag.name] = flag.parse(environ[variable], f"environment variable {variable}")
    return values


def asks_for(
    name: str, argv: Sequence[str], variables: Sequence[str], environ: Mapping[str, str]
) -> bool:
    """Whether a global switch is on, for as much as can be told of a line that is not understood."""
    for word in reversed(argv[: argv.index("--")] if "--" in argv else argv):
        option, equals, text = word.partition("=")
        if option == f"--{name}":
            return not equals or parse_bool(text) is True
        if option == f"--no-{name}":
            return False
    return any(parse_bool(environ.get(variable, "")) for variable in variables)
