"""Why something may not be released, and what to do about it."""

from dataclasses import dataclass

from tools.workspace import Place


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against a release."""

    wrong: str
    remedy: str
    place: Place | None = None

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.wrong}\n    remedy: {self.remedy}"


class Refused(Exception):
    """What was asked for cannot be done; every reason is told at once."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("\n".join(map(str, refusals)))
        self.refusals = refusals
