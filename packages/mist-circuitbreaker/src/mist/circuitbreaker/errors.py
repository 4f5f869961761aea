"""What a caller gets instead of a call."""

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


def _describe(name: str, retry_after: float | None) -> str:
    circuit = f"circuit {name!r}" if name else "circuit"
    if retry_after is None:
        return f"{circuit} is half-open and all its probes are under way"
    return f"{circuit} is open; it lets a probe through in {retry_after:.3g} s"
