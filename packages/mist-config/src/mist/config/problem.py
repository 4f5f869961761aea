"""What is wrong with a configuration, all of it at once."""

from collections.abc import Iterable

import msgspec

from mist.config.origin import Origin

_SHOWN = 100  # problems in the text of an error; `problems` has all


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        path: of the key, dotted; "" for the configuration as a whole.
        message: what is wrong, and the remedy where there is one; secrets are masked.
        origin: the file and line, variable or flag that it is in.
        expected: what belongs there; "" where nothing does.
        got: what is there; secrets are masked.
        suggestion: the nearest valid name or value; "" where none is near.
    """

    path: str
    message: str
    origin: Origin
    expected: str = ""
    got: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        """The place, the path and the message, on one line."""
        place = "" if self.origin.kind in ("default", "mapping", "code") else str(self.origin)
        path = "" if self.origin.kind == "override" else self.path
        return ": ".join(filter(None, (place, path, self.message)))


class ConfigError(ValueError):
    """The configuration is wrong; the text has every problem, one on a line.

    Args:
        problems: all of them; those in the file are put first, by line.
    """

    code = "validation"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_place))
        super().__init__(self.problems)

    def __str__(self) -> str:
        """The problem, or a heading and a line for each."""
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = [f"  {problem}" for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"  and {len(self.problems) - _SHOWN} more")
        return "\n".join([f"{len(self.problems)} problems in the configuration", *lines])


class ConfigTypeError(TypeError):
    """A type that no configuration can have, or an argument of a wrong type; the text names it.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"


class ConfigWarning(UserWarning):
    """A key or a variable that means nothing, and is probably misspelt."""


def _place(problem: Problem) -> tuple[bool, int]:
    return problem.origin.kind != "file", problem.origin.line or 0
