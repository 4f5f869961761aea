"""Which rows stand worse than in an earlier run.

Ratios are held against ratios, since seconds of two runs cannot be compared. A row has changed
where its ratio did by more than both runs' rounds are apart: twice the sum of their noises, and
never by less than a twentieth, which is what the layout of memory alone may make.
"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tools.bench.record import Record
from tools.bench.result import Result

_LEAST = 0.05
_NOISES = 2


class Verdict(enum.Enum):
    """What became of a row."""

    WORSE = "WORSE"
    BETTER = "better"
    SAME = "as before"
    NEW = "new"
    GONE = "gone"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Change:
    """A row in the earlier run and in the later one, where it was measured there."""

    title: str
    before: Result | None
    after: Result | None

    @property
    def tolerance(self) -> float:
        """The change that means nothing, as a share of the ratio."""
        noise = sum(result.noise for result in (self.before, self.after) if result is not None)
        return max(_LEAST, _NOISES * noise)

    @property
    def factor(self) -> float:
        """How many times as good as before the row is; 1 where that cannot be told."""
        if (both := self._both) is None:
            return 1.0
        before, after = both
        return after.row.target.advantage(after.ratio) / after.row.target.advantage(before.ratio)

    @property
    def verdict(self) -> Verdict:
        """What became of the row; one that is held against something else now is a new one."""
        if self.after is None:
            return Verdict.GONE
        if not self.after.rounds:
            return Verdict.NOT_RUN
        if self._both is None:
            return Verdict.NEW
        if self.factor * (1 + self.tolerance) < 1:
            return Verdict.WORSE
        return Verdict.BETTER if self.factor > 1 + self.tolerance else Verdict.SAME

    @property
    def _both(self) -> tuple[Result, Result] | None:
        before, after = self.before, self.after
        if before is None or after is None or not (before.rounds and after.rounds):
            return None
        same = _measure(before) == _measure(after)
        return (before, after) if same else None


def _measure(result: Result) -> tuple[object, ...]:
    return result.row.unit, result.row.against, result.row.target.of_speed


def changes(old: Record, new: Record, known: Collection[str]) -> list[Change]:
    """Set the rows of two runs beside each other.

    Args:
        old: the earlier run.
        new: the later run.
        known: the titles that there are, for a row that was merely not chosen is not gone.
    """
    before = {result.row.title: result for result in old.results}
    after = {result.row.title: result for result in new.results}
    gone = [title for title in before if title not in after and title not in known]
    return [
        *(Change(title, before.get(title), result) for title, result in after.items()),
        *(Change(title, before[title], None) for title in gone),
    ]


def report(found: Sequence[Change], old: Record, new: Record) -> str:
    """Say in a few lines what changed, the worst first."""
    told = sorted((c for c in found if c.verdict is not Verdict.SAME), key=lambda c: c.factor)
    lines = [_line(change) for change in told]
    lines += [f"{what} was {a}, and is {b} now" for what, a, b in _surroundings(old, new) if a != b]
    same = sum(change.verdict is Verdict.SAME for change in found)
    worse = sum(change.verdict is Verdict.WORSE for change in found)
    return "\n".join([*lines, f"{same} rows as before, {worse} worse, of {len(found)}"])


def _line(change: Change) -> str:
    told = f"{change.verdict.value:<8}  {change.title}"
    before, after = change.before, change.after
    if change.verdict in {Verdict.WORSE, Verdict.BETTER} and before and after:
        return (
            f"{told}: {before.ratio:.2f}x -> {after.ratio:.2f}x"
            f" ({_percent(change.factor - 1)}; {change.tolerance:.0%} mean nothing)"
        )
    if change.verdict is Verdict.NEW and after:
        return f"{told}: {after.ratio:.2f}x"
    if change.verdict is Verdict.NOT_RUN and after:
        return f"{told}: {after.note}"
    return told


def _percent(share: float) -> str:
    return f"{share:+.0%}"


def _surroundings(old: Record, new: Record) -> list[tuple[str, str | None, str | None]]:
    peers = [
        (peer, old.peers.get(peer), version)
        for peer, version in new.peers.items()
        if peer in old.peers
    ]
    places = [("the platform", old.platform, new.platform), ("Python", old.python, new.python)]
    return [*places, *peers]
