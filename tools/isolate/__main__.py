"""`hatch run isolate`: build every wheel, and run each one alone with its own tests."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from uv import find_uv_bin

from tools.in_parallel import add_jobs, in_parallel
from tools.isolate.export import export
from tools.isolate.isolation import Built, isolate, together
from tools.isolate.outcome import Outcome, report
from tools.isolate.process import cancel_on_sigterm, run
from tools.isolate.wheels import BuildError, build, declared_closure
from tools.signals import heed_ignored_signals
from tools.workspace import ROOT, Workspace, WorkspaceError

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if anything failed, 130 if interrupted."""
    options = _parse(argv)
    heed_ignored_signals()
    try:
        workspace = Workspace.load(options.root.resolve())
        with tempfile.TemporaryDirectory(prefix="mist-isolate-") as directory:
            outcomes = asyncio.run(_isolate(workspace, options, Path(directory).resolve()))
    except (WorkspaceError, BuildError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    passed = report(outcomes)
    failed = sum(bool(outcome.problems) for outcome in outcomes)
    print(f"{len(outcomes)} runs, {failed} failed")
    return int(not passed)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="isolate", description=__doc__)
    parser.add_argument("packages", nargs="*", help="distributions (default: all, and together)")
    parser.add_argument(
        "--python",
        action="append",
        metavar="VERSION",
        help="an interpreter or its version, may be repeated (default: the running one)",
    )
    parser.add_argument(
        "--lowest-direct",
        action="store_true",
        help="install the lowest version that each declared requirement admits",
    )
    add_jobs(parser, "runs")
    parser.add_argument("--root", type=Path, default=ROOT, help="the workspace to build")
    return parser.parse_args(argv)


async def _isolate(workspace: Workspace, options: argparse.Namespace, work: Path) -> list[Outcome]:
    cancel_on_sigterm()
    chosen = workspace.select(options.packages) or [*workspace]
    names = [each.name for each in chosen]
    pythons = options.python or [f"{sys.version_info.major}.{sys.version_info.minor}"]
    for python in pythons:
        found = await run(find_uv_bin(), "python", "find", python, cwd=workspace.root)
        if not found.ok:
            remedy = "choose another by --python"
            raise WorkspaceError(f"no Python {python} on this machine; {remedy}\n{found}")
    started = time.monotonic()
    source = work / "source"
    await export(workspace.root, source)
    needed = sorted(declared_closure(names, workspace))
    wheels = await build(workspace, needed, source, work / "dist", options.jobs)
    seconds = time.monotonic() - started
    print(f"built {len(wheels)} wheels and sdists in {seconds:.1f} s", file=sys.stderr, flush=True)
    built = Built(workspace, wheels, source, work, options.lowest_direct)
    return await _run_all(built, names, pythons, options)


async def _run_all(
    built: Built, names: Sequence[str], pythons: Sequence[str], options: argparse.Namespace
) -> list[Outcome]:
    runs: list[Callable[[], Awaitable[Outcome]]] = []
    for python in pythons:
        runs.extend(partial(isolate, built, name, python) for name in names)
    if not options.packages and "mist" in built.wheels:
        runs.extend(partial(together, built, python) for python in pythons)
    return await in_parallel(runs, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
