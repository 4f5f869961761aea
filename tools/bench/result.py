"""What came of a row: a ratio, how sure it is, and whether the target is met."""

import statistics
from dataclasses import dataclass
from typing import Any

from tools.bench.measure import Rounds
from tools.bench.row import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table.

    `ratio` is the median of the rounds' own ratios and `noise` the half of their interquartile
    range, as a share of it. A row that could not be run has a `note` instead of figures; `broken`
    says that its own code failed, not merely that something to import is missing.
    """

    row: Row
    rounds: Rounds
    ours: float = 0.0
    peer: float = 0.0
    ratio: float = 0.0
    noise: float = 0.0
    note: str = ""
    broken: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is met; a row without figures meets nothing."""
        return bool(self.rounds) and self.row.target.met(self.ratio)

    @classmethod
    def of(cls, row: Row, rounds: Rounds) -> "Result":
        """Sum up the rounds of a row."""
        if not rounds:
            return cls(row=row, rounds=[], note="measured nothing", broken=True)
        ratios = [row.target.ratio(ours, peer, row.unit) for ours, peer in rounds]
        ratio = statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratio,) * 3
        return cls(
            row=row,
            rounds=rounds,
            ours=statistics.median(ours for ours, _ in rounds),
            peer=statistics.median(peer for _, peer in rounds),
            ratio=ratio,
            noise=(high - low) / 2 / ratio,
        )

    def as_json(self) -> dict[str, Any]:
        """Spell the result for other programs."""
        row = self.row
        told = {"group": row.group, "what": row.name, "against": row.against}
        if not self.rounds:
            return {**told, "met": False, "note": self.note}
        return {
            **told,
            "unit": row.unit.value,
            "ours": self.ours,
            "peer": self.peer,
            "ratio": self.ratio,
            "noise": self.noise,
            "target": str(row.target),
            "met": self.met,
            "rounds": self.rounds,
        }
