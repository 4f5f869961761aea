"""One command of an application."""

from __future__ import annotations

from mist.cli.error import DeclarationError, UsageError
from mist.cli.flagset import FlagSet
from mist.cli.suggest import check_choice, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Run = Callable[["Command", list[str]], Awaitable[int | None] | int | None]

_ARITIES = ("1", "?", "*", "+")


class Argument:
    """A positional argument as it was declared; see `Command.add_argument`."""

    __slots__ = ("arity", "choices", "complete", "help", "name")

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002  # argparse's word
        arity: str,
        choices: Sequence[str],
        complete: str | None,
    ) -> None:
        self.name = name
        self.help = help
        self.arity = arity
        self.choices = tuple(choices)
        self.complete = complete

    @property
    def synopsis(self) -> str:
        """The argument as a usage line has it."""
        return {
            "1": f"<{self.name}>",
            "?": f"[<{self.name}>]",
            "*": f"[<{self.name}>...]",
            "+": f"<{self.name}>...",
        }[self.arity]

    @property
    def required(self) -> bool:
        """Whether there must be at least one."""
        return self.arity in "1+"

    def take(self, texts: list[str]) -> list[str]:
        """Remove this argument's share from the front of `texts` and return it."""
        count = len(texts) if self.arity in "*+" else 1
        share = texts[:count]
        del texts[:count]
        for text in share:
            check_choice(text, self.choices, f"<{self.name}>")
        return share


class Command(FlagSet):
    """A command: its flags, its arguments, and what it does.

    Args:
        name: as it is typed.
        usage: one line that says what it does.
        run: called with this command and the positional arguments; may be a coroutine
            function. Returns the exit status, None for 0. May be set later.
        description: further paragraphs for `--help`.
        examples: command lines for `--help`.
        takes_args: False makes positional arguments an error. Where True, arguments that
            are declared with `add_argument` must be there and no others may; without any
            declaration, whatever there is goes to `run`.
    """

    def __init__(
        self,
        name: str,
        usage: str,
        run: Run | None = None,
        *,
        description: str = "",
        examples: Sequence[str] = (),
        takes_args: bool = True,
    ) -> None:
        super().__init__()
        self.name = name
        self.usage = usage
        self.run = run
        self.description = description
        self.examples = tuple(examples)
        self.takes_args = takes_args
        self.arguments: dict[str, Argument] = {}

    def add_argument(
        self,
        name: str,
        help: str = "",  # noqa: A002  # argparse's word
        *,
        arity: str = "1",
        choices: Sequence[str] = (),
        complete: str | None = None,
    ) -> None:
        """Declare the next positional argument.

        Args:
            name: for `--help`, errors and `get_argument`.
            help: one line for `--help`.
            arity: how many: `1`, `?` (at most one), `*` (any number), `+` (at least one).
            choices: the only values that are allowed.
            complete: `file` or `directory`, what a shell completes it with.

        Raises:
            DeclarationError: the name is taken, or the argument could never be told from
                the one before it.
        """
        if arity not in _ARITIES:
            raise DeclarationError(f"<{name}>: arity must be one of {', '.join(_ARITIES)}")
        if name in self.arguments or not self.takes_args:
            raise DeclarationError(f"<{name}>: declared already, or {self.name} takes none")
        last = next(reversed(self.arguments.values()), None)
        if last is not None and (last.arity in "*+" or (last.arity == "?" and arity in "1+")):
            raise DeclarationError(f"<{name}> cannot follow {last.synopsis}")
        self.arguments[name] = Argument(name, help, arity, choices, complete)

    @property
    def synopsis(self) -> str:
        """The command as a usage line has it, without the application's name."""
        arguments = [argument.synopsis for argument in self.arguments.values()]
        if self.takes_args and not arguments:
            arguments = ["[args...]"]
        return " ".join([self.name, "[flags]", *arguments])

    def get_argument(self, name: str) -> str:
        """The positional argument of that name; "" for an optional one that is absent.

        Raises:
            DeclarationError: there is no such argument.
        """
        return next(iter(self.get_arguments(name)), "")

    def get_arguments(self, name: str) -> list[str]:
        """All texts of the positional argument of that name; see `get_argument`."""
        if name not in self.arguments:
            hint = did_you_mean(name, self.arguments, "add_argument declares one")
            raise DeclarationError(f"{self.name} has no argument {name!r}; {hint}")
        return list(self.state.texts.get(name, ()))

    def share_out(self, args: Sequence[str], program: str) -> dict[str, list[str]]:
        """Which of the positional arguments belong to which declared one.

        Args:
            args: all of them, in order.
            program: the application's name, for errors.

        Raises:
            UsageError: some are missing, or left over.
        """
        left = list(args)
        texts = {argument.name: argument.take(left) for argument in self.arguments.values()}
        if missing := [a.name for a in self.arguments.values() if a.required and not texts[a.name]]:
            raise UsageError(f"missing argument <{missing[0]}>; usage: {program} {self.synopsis}")
        if left and (self.arguments or not self.takes_args):
            raise UsageError(f"unexpected argument {left[0]!r}; usage: {program} {self.synopsis}")
        return texts
