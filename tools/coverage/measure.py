"""Run one distribution's own tests under coverage, and read what they reached."""

import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coverage import Coverage
from coverage.exceptions import CoverageException, CoverageWarning

from tools.isolate.process import run
from tools.workspace import Distribution, Workspace


class NothingMeasured(Exception):
    """The tests did not get as far as being measured; the message holds what they printed."""


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

    def __str__(self) -> str:
        failed = ", with failing tests" if self.problem else ""
        reached = f"{self.lines} lines, {self.branches} branches{failed}"
        return f"{self.package}: {reached} ({self.seconds:.1f} s)"

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
    settings = root / "pyproject.toml"
    tested = await run(
        *(sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", f"--data-file={data}"),
        *(f"--source={distribution.source}", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        distribution.directory,
        cwd=root,
    )
    report = work / f"{distribution.name}.json"
    coverage = Coverage(data, config_file=str(settings))
    try:
        with warnings.catch_warnings():
            # What was killed while it wrote its share has left a torn one, which is passed over.
            warnings.simplefilter("ignore", CoverageWarning)
            coverage.combine()
        coverage.json_report(outfile=str(report))
    except CoverageException as exc:
        raise NothingMeasured(f"{distribution.name}: {exc}\n{tested}") from exc
    read = json.loads(report.read_text(encoding="utf-8"))
    totals = read["totals"]
    return Measured(
        distribution.name,
        Share(totals["covered_lines"], totals["num_statements"]),
        # Absent where no line was reached at all.
        Share(totals.get("covered_branches", 0), totals.get("num_branches", 0)),
        tuple(_missing(read["files"], root)),
        time.monotonic() - started,
        "" if tested.ok else str(tested),
    )


def _missing(files: dict[str, dict[str, Any]], root: Path) -> Iterator[str]:
    """Name what was missed file by file: lines, and branches between lines that were reached."""
    for path, file in sorted(files.items()):
        lines = set(file["missing_lines"])
        places = [*_ranges(file["missing_lines"])]
        for start, end in file.get("missing_branches", ()):
            if start not in lines and end not in lines:
                places.append(f"{start}->{'exit' if end < 0 else end}")
        if places:
            place = Path(path).absolute().relative_to(root).as_posix()
            yield f"{place}: {', '.join(places)}"


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
