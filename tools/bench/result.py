"""What came of a row: a ratio, how sure it is, and whether the target is met."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.bench.measure import Rounds
from tools.bench.row import Comparison, Target, Unit

_DIGITS = 5  # significant ones of a figure in JSON, far beyond what can be measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table.

    `ratio` is the median of the rounds' own ratios, `low` and `high` their quartiles, and `noise`
    the half of what is between these, as a share of the ratio. A row that could not be run has a
    `note` instead of figures; `broken` says that its own code failed, not merely that something
    to import is missing.
    """

    row: Comparison
    rounds: Rounds
    ours: float = 0.0
    peer: float = 0.0
    ratio: float = 0.0
    low: float = 0.0
    high: float = 0.0
    note: str = ""
    broken: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is met; a row without figures meets nothing."""
        return bool(self.rounds) and self.row.target.met(self.ratio)

    @property
    def noise(self) -> float:
        """How far the rounds lie apart, as a share of the ratio."""
        return (self.high - self.low) / 2 / self.ratio if self.rounds else 0.0

    @classmethod
    def of(cls, row: Comparison, rounds: Rounds) -> "Result":
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
            low=low,
            high=high,
        )

    def as_json(self) -> dict[str, Any]:
        """Spell the result for other programs."""
        row = self.row
        told = {
            "group": row.group,
            "what": row.name,
            "against": row.against,
            "peers": list(row.peers),
            "unit": row.unit.value,
            "target": str(row.target),
            "met": self.met,
        }
        if not self.rounds:
            return {**told, "note": self.note, "broken": self.broken}
        return {
            **told,
            "ours": _rounded(self.ours),
            "peer": _rounded(self.peer),
            "ratio": _rounded(self.ratio),
            "noise": _rounded(self.noise),
            "rounds": [[_rounded(ours), _rounded(peer)] for ours, peer in self.rounds],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Result":
        """Read what `as_json` spelled; the figures follow from the rounds.

        Raises:
            KeyError, TypeError, ValueError: It did not.
        """
        row = Comparison(
            group=told["group"],
            name=told["what"],
            target=Target.parse(told["target"]),
            against=told["against"],
            peers=tuple(told["peers"]),
            unit=Unit(told["unit"]),
        )
        if "rounds" not in told:
            return cls(row=row, rounds=[], note=told["note"], broken=told["broken"])
        return cls.of(row, [(float(ours), float(peer)) for ours, peer in told["rounds"]])


def _rounded(figure: float) -> float:
    return float(f"{figure:.{_DIGITS}g}")
