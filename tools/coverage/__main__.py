"""`hatch run cov`: what each package's own tests reach of it, and whether that is enough."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tools.coverage.measure import Measured, NothingMeasured, measure
from tools.in_parallel import add_jobs, in_parallel
from tools.workspace import ROOT, Distribution, Workspace, WorkspaceError

_FLOOR = 95.0
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if a package is below the floor, 130 if interrupted."""
    options = _parse(argv)
    try:
        workspace = Workspace.load(options.root.resolve())
        chosen = workspace.select(options.packages) or workspace.with_code()
        with tempfile.TemporaryDirectory(prefix="mist-coverage-") as directory:
            measured = asyncio.run(_measure(workspace, chosen, options.jobs, Path(directory)))
    except (WorkspaceError, NothingMeasured) as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    for each in measured:
        if each.problem:
            print(f"\n== {each.package} ==\n{each.problem}")
    print(f"\n{table(measured, options.floor)}")
    below = [each.package for each in measured if not each.reaches(options.floor)]
    floor = f"{options.floor:g}% of lines and of branches"
    print(f"\n{len(measured)} packages, {len(below)} below {floor}")
    return int(bool(below))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cov", description=__doc__)
    parser.add_argument("packages", nargs="*", help="distributions (default: all with code)")
    parser.add_argument(
        "--floor",
        type=float,
        default=_FLOOR,
        metavar="PERCENT",
        help="what a package has to reach of its lines and of its branches (default: %(default)g)",
    )
    add_jobs(parser, "packages")
    parser.add_argument("--root", type=Path, default=ROOT, help="the workspace to measure")
    return parser.parse_args(argv)


async def _measure(
    workspace: Workspace, chosen: Sequence[Distribution], jobs: int, work: Path
) -> list[Measured]:
    return await in_parallel([partial(measure, workspace, each, work) for each in chosen], jobs)


def table(measured: Sequence[Measured], floor: float) -> str:
    """Draw a line for each package, and below it the places that its tests miss."""
    width = max(len(each.package) for each in measured)
    drawn = [f"{'package':{width}}  {'lines':>14}  {'branches':>14}"]
    for each in measured:
        verdict = "ok" if each.reaches(floor) else "FAILED"
        drawn.append(
            f"{each.package:{width}}  {each.lines!s:>14}  {each.branches!s:>14}  {verdict}"
        )
        drawn.extend(f"  {place}" for place in each.missing)
    return "\n".join(drawn)


if __name__ == "__main__":
    sys.exit(main())
