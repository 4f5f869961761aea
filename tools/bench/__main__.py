"""`hatch run bench`: ours against its peers in one run, as one table of ratios.

A target that is missed shows NO and leaves the exit status at 0, because ratios on a busy machine
are noisy; `--strict` makes it 1.
"""

import argparse
import json
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.bench.catalogue import ROWS, CatalogueError, catalogue, select
from tools.bench.measure import Plan
from tools.bench.result import Result
from tools.bench.row import Row
from tools.bench.table import table, verdict

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if a row is broken, or with --strict if a target is missed."""
    options = _parse(argv)
    try:
        rows = select(catalogue(options.rows), options.names)
    except CatalogueError as exc:
        print(exc, file=sys.stderr)
        return 1
    if options.list:
        print(*(row.title for row in rows), sep="\n")
        return 0
    plan = Plan.quick() if options.quick else Plan()
    try:
        results = [_measured(row, plan, f"[{n}/{len(rows)}]") for n, row in enumerate(rows, 1)]
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    print(table(results))
    if options.json:
        text = json.dumps(_document(results), indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    missed = not all(result.met for result in results)
    return int(any(result.broken for result in results) or (options.strict and missed))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="groups, or parts of rows' titles (default: all)")
    parser.add_argument("--list", action="store_true", help="list the rows and stop")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON too")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--strict", action="store_true", help="fail unless every target is met")
    parser.add_argument("--rows", type=Path, default=ROWS, help="where the files of rows are")
    return parser.parse_args(argv)


def _measured(row: Row, plan: Plan, progress: str) -> Result:
    """Run one row; what it lacks, or what breaks it, becomes its note."""
    print(f"{progress} {row.title} ...", end=" ", file=sys.stderr, flush=True)
    try:
        result = Result.of(row, row.measure(plan))
    except ImportError as exc:
        result = Result(row=row, rounds=[], note=str(exc))
    except Exception as exc:  # noqa: BLE001  # one broken row must not cost the others
        traceback.print_exc()
        result = Result(row=row, rounds=[], note=f"{type(exc).__name__}: {exc}", broken=True)
    told = f"{result.ratio:.2f}x, wanted {row.target}: " if result.rounds else f"{result.note}: "
    print(told + verdict(result), file=sys.stderr, flush=True)
    return result


def _document(results: Sequence[Result]) -> dict[str, Any]:
    peers = sorted({peer for result in results for peer in result.row.peers})
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "peers": {peer: _version(peer) for peer in peers},
        "rows": [result.as_json() for result in results],
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
