"""`hatch run bench`: ours against its peers in one run, as one table of ratios.

A target that is missed shows NO and leaves the exit status at 0, because ratios on a busy machine
are noisy; `--strict` makes it 1. A row that `--compare` finds worse than before makes it 1 too.
Ctrl-C ends with what has been measured so far.
"""

import argparse
import sys
import traceback
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tools.bench.catalogue import ROWS, CatalogueError, catalogue, select
from tools.bench.chart import chart
from tools.bench.measure import Plan
from tools.bench.record import Record, RecordError
from tools.bench.regression import Verdict, changes, report
from tools.bench.result import Result
from tools.bench.row import Row
from tools.bench.table import table, verdict

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line.

    Returns:
        1 if a row is broken or has become worse, or with --strict if a target is missed; 130 if
        interrupted.
    """
    options = _parse(argv)
    try:
        every = catalogue(options.rows)
        rows = select(every, options.names)
        old = Record.load(options.compare) if options.compare else None
        read = Record.load(options.read) if options.read else None
    except (CatalogueError, RecordError) as exc:
        print(exc, file=sys.stderr)
        return 1
    if options.list:
        print(*(row.title for row in rows), sep="\n")
        return 0
    results: list[Result] = []
    interrupted = False
    try:
        for result in read.results if read else _measured(rows, options.quick):
            results.append(result)  # noqa: PERF402  # what there is must survive an interruption
    except KeyboardInterrupt:
        interrupted = True
    record = read or Record.of(results)
    print(table(results))
    if options.json:
        options.json.write_text(record.text(), encoding="utf-8")
    if interrupted:
        print(f"interrupted: {len(results)} of {len(rows)} rows measured", file=sys.stderr)
        return _INTERRUPTED
    if options.chart:
        options.chart.write_text(chart(record), encoding="utf-8")
    worse = old is not None and _compared(old, record, {row.title for row in every})
    missed = not all(result.met for result in results)
    broken = any(result.broken for result in results)
    return int(broken or worse or (options.strict and missed))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="groups, or parts of rows' titles (default: all)")
    parser.add_argument("--list", action="store_true", help="list the rows and stop")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON too")
    parser.add_argument(
        "--from",
        dest="read",
        type=Path,
        metavar="FILE",
        help="measure nothing: take the results that --json wrote",
    )
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the results as SVG")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD",
        help="tell which rows changed since --json wrote this; fail if one became worse",
    )
    parser.add_argument("--strict", action="store_true", help="fail unless every target is met")
    parser.add_argument("--rows", type=Path, default=ROWS, help="where the files of rows are")
    options = parser.parse_args(argv)
    if options.read and options.names:
        parser.error("--from takes all that its file holds; names choose what is measured")
    return options


def _measured(rows: Sequence[Row], quick: bool) -> Iterator[Result]:  # noqa: FBT001  # --quick
    """Measure row after row; what one lacks, or what breaks it, becomes its note."""
    plan = Plan.quick() if quick else Plan()
    for number, row in enumerate(rows, 1):
        print(f"[{number}/{len(rows)}] {row.title} ...", end=" ", file=sys.stderr, flush=True)
        try:
            result = Result.of(row, row.measure(plan))
        except ImportError as exc:
            result = Result(row=row, rounds=[], note=str(exc))
        except Exception as exc:  # noqa: BLE001  # one broken row must not cost the others
            traceback.print_exc()
            result = Result(row=row, rounds=[], note=f"{type(exc).__name__}: {exc}", broken=True)
        told = f"{result.ratio:.2f}x, wanted {row.target}" if result.rounds else result.note
        print(f"{told}: {verdict(result)}", file=sys.stderr, flush=True)
        yield result


def _compared(old: Record, new: Record, known: Collection[str]) -> bool:
    """Tell what changed; return whether something became worse."""
    found = changes(old, new, known)
    print(f"\n{report(found, old, new)}")
    return any(change.verdict is Verdict.WORSE for change in found)


if __name__ == "__main__":
    sys.exit(main())
