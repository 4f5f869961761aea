"""`hatch run instructions`: count the instructions of the hot paths, and fail where they grew.

Seconds on a busy machine are noise; instructions under valgrind agree between runs to a fraction
of a percent. The counts are held against those in baseline.toml, by Python version, and
may grow by one percent; on another build of that version (its compiler, its msgspec) by ten.
`--renew` writes them anew, which belongs into the commit that changes them.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.instructions.baseline import BASELINE, Baseline, load, save, this_build, this_python
from tools.instructions.callgrind import CountError, per_walk, why_not
from tools.instructions.paths import PATHS

_INTERRUPTED = 130
_SAME_BUILD, _OTHER_BUILD = 0.01, 0.10


@dataclass(frozen=True, slots=True)
class Verdict:
    """A path's count beside the one that was agreed on, if there is one."""

    path: str
    count: float
    wanted: float | None
    tolerance: float

    @property
    def grown(self) -> bool:
        """Whether it takes more than it may."""
        return self.wanted is not None and self.count > self.wanted * (1 + self.tolerance)

    @property
    def shrunk(self) -> bool:
        """Whether it takes so much less that the baseline allows too much."""
        return self.wanted is not None and self.count < self.wanted * (1 - self.tolerance)

    def __str__(self) -> str:
        told = f"{self.path:<14} {self.count:>9,.0f}"
        if self.wanted is None:
            return f"{told}  no baseline"
        word = "GREW" if self.grown else "less" if self.shrunk else "same"
        return f"{told} {self.wanted:>9,.0f} {self.count / self.wanted - 1:>+8.2%}  {word}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if a path takes more than it may, or fails."""
    options = _parse(argv)
    if reason := why_not():
        print(f"skipped: {reason}")
        return 0
    python, build = this_python(), this_build()
    baselines = load(options.baseline)
    agreed = baselines.get(python, Baseline(build, {}))
    tolerance = _SAME_BUILD if agreed.build == build else _OTHER_BUILD
    print(f"{python} ({build}), up to {tolerance:.0%} more\n")
    print(f"{'path':<14} {'counted':>9} {'baseline':>9} {'change':>8}")
    verdicts: list[Verdict] = []
    try:
        for path in options.paths or PATHS:
            verdicts.append(Verdict(path, per_walk(path), agreed.counts.get(path), tolerance))
            print(verdicts[-1], flush=True)
    except CountError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    if options.renew:
        counts = {verdict.path: verdict.count for verdict in verdicts}
        save(
            baselines | {python: Baseline(build, _ordered({**agreed.counts, **counts}))},
            options.baseline,
        )
        print(f"\nwritten to {options.baseline}")
        return 0
    return _conclude(verdicts, agreed.build, build)


def _conclude(verdicts: Sequence[Verdict], agreed: str, build: str) -> int:
    """Say what to do, if anything, and return the exit status."""
    if agreed != build:
        print(f"\nthe baseline is of another build: {agreed}")
    grown = [verdict.path for verdict in verdicts if verdict.grown]
    if grown:
        print(
            f"\n{', '.join(grown)}: more instructions than agreed on. Find out why, or, where the"
            " change is worth it, commit what --renew writes."
        )
        return 1
    if any(verdict.shrunk or verdict.wanted is None for verdict in verdicts):
        print("\nCommit what --renew writes, so that it stays so.")
    return 0


def _ordered(counts: Mapping[str, float]) -> dict[str, float]:
    """Keep the paths that there are, in their order."""
    return {path: counts[path] for path in PATHS if path in counts}


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="instructions", description=__doc__)
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help=f"which of {', '.join(PATHS)} (default: all)",
    )
    parser.add_argument("--renew", action="store_true", help="write the counts as the baseline")
    parser.add_argument("--baseline", type=Path, default=BASELINE, metavar="FILE")
    options = parser.parse_args(argv)
    if unknown := [path for path in options.paths if path not in PATHS]:
        parser.error(f"there is no path {unknown[0]!r}; there are {', '.join(PATHS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
