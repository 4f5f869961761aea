"""What came of one distribution on one Python, and the table of them all."""

import xml.etree.ElementTree as ET  # nosec B405  # our own tests' report
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.columns import columns

_HEADERS = ("package", "python", "wheel", "passed", "failed", "skipped", "seconds", "")


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of one run of a distribution's tests."""

    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @classmethod
    def from_junit(cls, path: Path) -> "Totals":
        """Read the totals pytest wrote; no file means that nothing ran."""
        if not path.is_file():
            return cls(0, 0, 0)
        suites = list(ET.parse(path).getroot().iter("testsuite"))  # nosec B314  # our own tests' report

        def total(*keys: str) -> int:
            return sum(int(suite.get(key, "0")) for suite in suites for key in keys)

        failed, skipped = total("failures", "errors"), total("skipped")
        return cls(total("tests") - failed - skipped, failed, skipped)


@dataclass(slots=True)
class Outcome:
    """One row of the table; without problems it is fine."""

    package: str
    python: str
    wheel: str
    totals: Totals | None = None
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list[str])

    @property
    def verdict(self) -> str:
        """The row's last word."""
        return "FAILED" if self.problems else "ok"

    def __str__(self) -> str:
        tests = f", {self.totals}" if self.totals else ""
        return f"{self.package} on {self.python}: {self.verdict}{tests} ({self.seconds:.1f} s)"

    def row(self) -> tuple[str, ...]:
        """Spell the row's cells."""
        totals = self.totals
        counts = (totals.passed, totals.failed, totals.skipped) if totals else ("-", "-", "-")
        name = (self.package, self.python, self.wheel)
        return (*name, *map(str, counts), f"{self.seconds:.1f}", self.verdict)


def report(outcomes: Sequence[Outcome]) -> bool:
    """Print every problem, and the table; tell whether there is no problem."""
    for outcome in outcomes:
        for problem in outcome.problems:
            print(f"\n== {outcome.package} on Python {outcome.python} ==\n{problem}")
    print(f"\n{table(outcomes)}")
    return not any(outcome.problems for outcome in outcomes)


def table(outcomes: Sequence[Outcome]) -> str:
    """Draw the table: names to the left, numbers to the right."""
    return columns(_HEADERS, [outcome.row() for outcome in outcomes], right=range(3, 7))
