"""Values that the program or its command line lays over everything else."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from mist.config.entry import Entry
from mist.config.names import DOTTED, find
from mist.config.node import Section, fold, leaves
from mist.config.origin import Origin
from mist.config.problem import ConfigTypeError, Problem
from mist.config.suggest import nearest
from mist.config.value import dotted, printable


class Flags(Protocol):
    """What can be asked for flags, such as a `mist.cli.Command`.

    Each method raises a LookupError for a flag that is not declared, or is of another kind.
    """

    def has_flag(self, name: str) -> bool:
        """Whether the command line gave the flag."""
        ...

    def get_string(self, name: str) -> str:
        """The value of a flag that is text."""
        ...

    def get_int(self, name: str) -> int:
        """The value of a flag that is a whole number."""
        ...

    def get_int64(self, name: str) -> int:
        """The value of a flag that is a whole number of 64 bits."""
        ...

    def get_float64(self, name: str) -> float:
        """The value of a flag that is a number."""
        ...

    def get_bool(self, name: str) -> bool:
        """The value of a switch."""
        ...


def flag_entries(root: Section, flags: Flags) -> Iterator[Entry]:
    """The values of the flags that the command line gave; `db-host` is for `db.host`."""
    for path, fields in leaves(root):
        name = "-".join(fold(str(key)).replace("_", "-") for key in path)
        if _was_given(flags, name):
            yield Entry(path, fields[-1].node, _value(flags, name), Origin("flag", f"--{name}"))


def override_entries(
    root: Section, overrides: Mapping[str, Any], tree: dict[str, Any]
) -> Iterator[Entry | Problem]:
    """The values that `load` was given by dotted path, or what is wrong with the path."""
    for name, value in overrides.items():
        origin = Origin("override", name)
        if found := find(root, name, tree, DOTTED):
            yield Entry(*found, value, origin)
        else:
            suggestion = nearest(name, (dotted(path) for path, _ in leaves(root)))
            message = "unknown key" + (
                f"; did you mean {printable(suggestion)}?" if suggestion else ""
            )
            yield Problem(path=name, message=message, origin=origin, suggestion=suggestion)


def _was_given(flags: Flags, name: str) -> bool:
    try:
        return flags.has_flag(name)
    except LookupError:
        return False


def _value(flags: Flags, name: str) -> Any:
    for get in (
        flags.get_string,
        flags.get_int,
        flags.get_int64,
        flags.get_float64,
        flags.get_bool,
    ):
        try:
            return get(name)
        except LookupError:
            continue
    raise ConfigTypeError(f"--{name}: a flag that is neither text nor number nor switch")
