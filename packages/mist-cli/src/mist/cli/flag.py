"""One flag: what it is called, and how its text becomes a value."""

from __future__ import annotations

import re

from mist.cli.error import UsageError
from mist.cli.suggest import check_choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1
_WHOLE = re.compile(r"[+-]?[0-9]+")
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})


class Flag:
    """A flag as it was declared; it holds no value but its default.

    Args:
        name: without dashes.
        kind: `string`, `int`, `int64`, `float64` or `bool`.
        default: the value where neither command line nor environment has one.
        help: one line for `--help`.
        short: a single letter that stands for the name.
        env: the variable that stands in for the flag; None derives it, "" is none.
        choices: the only texts that are allowed.
        complete: what a shell completes its value with, `file` or `directory`.
    """

    __slots__ = ("choices", "complete", "default", "env", "help", "kind", "name", "short")

    def __init__(
        self,
        name: str,
        kind: str,
        default: str | float,
        help: str,  # noqa: A002  # argparse's word
        *,
        short: str | None,
        env: str | None,
        choices: Sequence[str] = (),
        complete: str | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.help = help
        self.short = short
        self.env = env
        self.choices = tuple(choices)
        self.complete = complete

    @property
    def option(self) -> str:
        """The flag as it is typed."""
        return f"--{self.name}"

    @property
    def negation(self) -> str | None:
        """What turns a bool off; None for other kinds."""
        return f"--no-{self.name}" if self.kind == "bool" else None

    @property
    def options(self) -> list[str]:
        """Every text that stands for the flag on a command line."""
        short = [f"-{self.short}"] if self.short else []
        return [*short, self.option, *([self.negation] if self.negation else [])]

    def variable(self, prefix: Sequence[str]) -> str:
        """The environment variable that stands in for the flag, "" for none."""
        return variable_name(*prefix, self.name) if self.env is None else self.env

    def parse(self, text: str, source: str) -> str | float:
        """The value that `text` means.

        Args:
            text: what was given.
            source: where, for the error: the flag or the variable.

        Raises:
            UsageError: it means none.
        """
        check_choice(text, self.choices, source)
        value = _PARSERS[self.kind](text)
        if value is None:
            raise UsageError(f"{source}: expected {_EXPECTED[self.kind]}, got {text!r}")
        return value


def variable_name(*parts: str) -> str:
    """The parts in upper case, joined by `_`, with `_` for all that is no letter or digit."""
    return re.sub(r"[^A-Z0-9]", "_", "_".join(parts).upper())


def parse_bool(text: str) -> bool | None:
    """True for 1, t, true, y, yes, on; False for their opposites; in any case of letters."""
    folded = text.lower()
    return True if folded in _TRUE else False if folded in _FALSE else None


def _parse_int(text: str) -> int | None:
    if not _WHOLE.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:
        # Python's limit on the number of digits.
        return None


def _parse_int64(text: str) -> int | None:
    value = _parse_int(text)
    return value if value is not None and _INT64_MIN <= value <= _INT64_MAX else None


def _parse_float64(text: str) -> float | None:
    # float() also takes what no command line means: white space and underscores.
    if "_" in text or text != text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return None


_PARSERS: dict[str, Callable[[str], str | float | None]] = {
    "string": str,
    "int": _parse_int,
    "int64": _parse_int64,
    "float64": _parse_float64,
    "bool": parse_bool,
}
_EXPECTED = {
    "int": "a whole number",
    "int64": f"a whole number from {_INT64_MIN} to {_INT64_MAX}",
    "float64": "a number",
    "bool": "true or false",
}
