"""The flags of a command or of the whole application, and their values."""

from __future__ import annotations

import re

from mist.cli.error import DeclarationError
from mist.cli.flag import Flag
from mist.cli.suggest import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class State:
    """What one execution gives a command, or the application.

    Args:
        values: of flags, by name; what is not here has its default.
        given: the flags that the command line gave.
        texts: of positional arguments, by name.
    """

    __slots__ = ("given", "texts", "values")

    def __init__(
        self,
        values: Mapping[str, str | float] | None = None,
        given: Collection[str] = (),
        texts: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.values = values or {}
        self.given = given
        self.texts = texts or {}


class FlagSet:
    """Declares flags with `add_..._flag`, and gives their values with `get_...`.

    Values belong to an execution: they are those of the command line that is being executed,
    or was executed last, and the defaults before the first. An execution inside another gives
    the outer one its values back. One `App` executes one command line at a time.
    """

    def __init__(self) -> None:
        self.flags: dict[str, Flag] = {}
        self.parent: FlagSet | None = None
        self.state = State()

    def add_string_flag(
        self,
        name: str,
        default: str = "",
        help: str = "",  # noqa: A002  # argparse's word
        *,
        short: str | None = None,
        env: str | None = None,
        choices: Sequence[str] = (),
        complete: str | None = None,
    ) -> None:
        """Declare a flag whose value is text.

        Args:
            name: without dashes.
            default: the value where neither command line nor environment has one.
            help: one line for `--help`.
            short: a single letter that stands for the name.
            env: the variable that stands in for the flag; by default application, command
                and flag in upper case, joined by `_`; "" for none.
            choices: the only values that are allowed.
            complete: `file` or `directory`, what a shell completes the value with.

        Raises:
            DeclarationError: the name is taken, or is no name.
        """
        self._add(
            Flag(
                name, "string", default, help,
                short=short, env=env, choices=choices, complete=complete,
            )
        )  # fmt: skip

    def add_int_flag(
        self,
        name: str,
        default: int = 0,
        help: str = "",  # noqa: A002  # argparse's word
        *,
        short: str | None = None,
        env: str | None = None,
    ) -> None:
        """Declare a flag whose value is a whole number of any size; see `add_string_flag`."""
        self._add(Flag(name, "int", default, help, short=short, env=env))

    def add_int64_flag(
        self,
        name: str,
        default: int = 0,
        help: str = "",  # noqa: A002  # argparse's word
        *,
        short: str | None = None,
        env: str | None = None,
    ) -> None:
        """Declare a flag whose value is a whole number of 64 bits; see `add_string_flag`."""
        self._add(Flag(name, "int64", default, help, short=short, env=env))

    def add_float64_flag(
        self,
        name: str,
        default: float = 0.0,
        help: str = "",  # noqa: A002  # argparse's word
        *,
        short: str | None = None,
        env: str | None = None,
    ) -> None:
        """Declare a flag whose value is a number; see `add_string_flag`."""
        self._add(Flag(name, "float64", default, help, short=short, env=env))

    def add_bool_flag(
        self,
        name: str,
        default: bool = False,  # noqa: FBT001, FBT002  # the contract's signature
        help: str = "",  # noqa: A002  # argparse's word
        *,
        short: str | None = None,
        env: str | None = None,
    ) -> None:
        """Declare a switch: `--name` and `--no-name`; see `add_string_flag`."""
        self._add(Flag(name, "bool", default, help, short=short, env=env))

    def get_string(self, name: str) -> str:
        """The value of a string flag.

        Raises:
            DeclarationError: there is no such flag, or it is of another kind.
        """
        return str(self._get(name, "string"))

    def get_int(self, name: str) -> int:
        """The value of an int flag; see `get_string`."""
        return int(self._get(name, "int"))

    def get_int64(self, name: str) -> int:
        """The value of an int64 flag; see `get_string`."""
        return int(self._get(name, "int64"))

    def get_float64(self, name: str) -> float:
        """The value of a float64 flag; see `get_string`."""
        return float(self._get(name, "float64"))

    def get_bool(self, name: str) -> bool:
        """The value of a bool flag; see `get_string`."""
        return bool(self._get(name, "bool"))

    def has_flag(self, name: str) -> bool:
        """Whether the flag was given on the command line; environment and default do not count.

        Raises:
            DeclarationError: there is no such flag.
        """
        return name in self._owner(name).state.given

    def _add(self, flag: Flag) -> None:
        if not _NAME.fullmatch(flag.name):
            raise DeclarationError(f"{flag.name!r} is no name for a flag: letters, digits, . _ -")
        if flag.short is not None and not re.fullmatch("[A-Za-z]", flag.short):
            raise DeclarationError(f"{flag.option}: short must be one letter, not {flag.short!r}")
        check_options(flag, self)
        if self.parent is not None:
            check_options(flag, self.parent)
        self.flags[flag.name] = flag

    def _get(self, name: str, kind: str) -> str | float:
        owner = self._owner(name)
        flag = owner.flags[name]
        if flag.kind != kind:
            raise DeclarationError(f"{flag.option} is a {flag.kind} flag: use get_{flag.kind}")
        return owner.state.values.get(name, flag.default)

    def _owner(self, name: str) -> FlagSet:
        """The flag set that declares the flag: this one, or the application's."""
        if name in self.flags:
            return self
        if self.parent is not None and name in self.parent.flags:
            return self.parent
        declared = [*self.flags, *(self.parent.flags if self.parent else ())]
        hint = did_you_mean(name, declared, "add_..._flag declares one")
        raise DeclarationError(f"there is no flag {name!r}; {hint}")


def check_options(flag: Flag, among: FlagSet) -> None:
    """Raise a DeclarationError if something that stands for `flag` is taken in `among`."""
    taken = {"-h", "--help"}.union(*(other.options for other in among.flags.values()))
    if clash := taken.intersection(flag.options):
        raise DeclarationError(f"{flag.option}: {min(clash)} is declared already")
