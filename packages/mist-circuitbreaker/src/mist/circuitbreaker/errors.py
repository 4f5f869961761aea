"""What a caller gets instead of a call, or of a breaker."""

from __future__ import annotations

from mist.errors import Code, MistError


class CircuitOpenError(MistError):
    """The circuit refuses the call; nothing was tried. Its code is `unavailable`.

    Attributes:
        name: the breaker's name, empty if it has none.
        retry_after: seconds until the circuit lets a probe through; None while it is half-open
            and all its probes are under way, for nobody knows how long they take.
    """

    def __init__(self, name: str, retry_after: float | None) -> None:
        super().__init__(Code.UNAVAILABLE, _describe(name, retry_after), retry_after=retry_after)
        self.args = (name, retry_after)
        self.name = name


class InvalidSettingError(ValueError):
    """A setting makes no sense; the text names it, and says what would.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = Code.VALIDATION


class WrongFunctionError(TypeError):
    """A function is not of the kind that the method takes; that is no failure of what it calls.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = Code.VALIDATION


def _describe(name: str, retry_after: float | None) -> str:
    circuit = f"circuit {name!r}" if name else "circuit"
    if retry_after is None:
        return f"{circuit} is half-open and all its probes are under way"
    return f"{circuit} is open; it lets a probe through in {retry_after:.3g} s"
