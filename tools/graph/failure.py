"""One thing that is wrong, where it stands, and what to do about it."""

from dataclasses import dataclass

from tools.workspace import Place


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A finding of the graph check."""

    place: Place
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.wrong}\n    remedy: {self.remedy}"
