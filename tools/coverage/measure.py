"""Run one distribution's own tests under coverage, and read what they reached."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.isolate.process import run
from tools.workspace import Distribution, Workspace


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    reached: int
    all: int

    @property
    def percent(self) -> float:
        """As a percentage; of nothing, everything was reached."""
        return 100 * self.reached / self.all if self.all else 100.0

    def __str__(self) -> str:
        # Rounded down: 94.96% has not reached 95.
        return f"{int(self.percent * 10) / 10:.1f}% of {self.all}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the tests of one distribution reached of its code."""

    package: str
    lines: Share
    branches: Share
    missing: tuple[str, ...]
    seconds: float
    problem: str = ""

    def reaches(self, floor: float) -> bool:
        """Whether its tests passed and reached `floor` percent of lines and of branches."""
        return not self.problem and min(self.lines.percent, self.branches.percent) >= floor


async def measure(workspace: Workspace, distribution: Distribution, work: Path) -> Measured:
    """Run the tests in a process of their own, with the children that they start.

    Args:
        workspace: where the distribution is; its pyproject.toml says how coverage measures.
        distribution: whose tests run, and whose code counts.
        work: an existing directory for the data.
    """
    started = time.monotonic()
    root, data = workspace.root, work / f"{distribution.name}.coverage"
    coverage = (sys.executable, "-m", "coverage")
    options = (f"--rcfile={root / 'pyproject.toml'}", f"--data-file={data}")
    tested = await run(
        *(*coverage, "run", *options, f"--source={distribution.source}"),
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", distribution.directory),
        cwd=root,
    )
    problem = "" if tested.ok else str(tested)
    report = work / f"{distribution.name}.json"
    for command in (("combine", *options), ("json", *options, "--fail-under=0", "-o", report)):
        done = await run(*coverage, *command, cwd=root)
        if not done.ok:
            return Measured(
                distribution.name, Share(0, 1), Share(0, 1), (), 0.0, problem or str(done)
            )
    read = json.loads(report.read_text(encoding="utf-8"))
    totals = read["totals"]
    return Measured(
        distribution.name,
        Share(totals["covered_lines"], totals["num_statements"]),
        Share(totals["covered_branches"], totals["num_branches"]),
        tuple(_missing(read["files"])),
        time.monotonic() - started,
        problem,
    )


def _missing(files: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Name what was missed file by file: lines, and branches between lines that were reached."""
    for path, file in sorted(files.items()):
        lines = set(file["missing_lines"])
        places = [*_ranges(file["missing_lines"])]
        for start, end in file["missing_branches"]:
            if start not in lines and end not in lines:
                places.append(f"{start}->{'exit' if end < 0 else end}")
        if places:
            yield f"{Path(path).as_posix()}: {', '.join(places)}"


def _ranges(numbers: list[int]) -> Iterator[str]:
    """Spell numbers in ascending order, neighbours as one range."""
    start = last = None
    for number in [*numbers, None]:
        if last is not None and number == last + 1:
            last = number
            continue
        if start is not None:
            yield f"{start}" if start == last else f"{start}-{last}"
        start = last = number
