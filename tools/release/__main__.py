"""`hatch run release`: see what changed, prepare a version, try its release, and tag it.

  status   what changed in each package since its last release, in the order of releases
  api      what a package's public interface gains and loses, and the version that takes
  prepare  write the next version into pyproject.toml and the changelog
  make     build, build again, test the wheels alone; --tag makes the tags, else a dry run
  build    build what a tag names           (the release workflow does this)
  test     test the files that build made   (the release workflow does this)

Nothing here uploads anything: pushing a tag starts the workflow that publishes it. RELEASING.md
tells the way from a change to a release on one page.
"""

import argparse
import asyncio
import datetime as dt
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tools.isolate.outcome import report
from tools.isolate.process import cancel_on_sigterm
from tools.isolate.wheels import BuildError
from tools.release import papers
from tools.release.build import Files
from tools.release.checks import candidates, tagged
from tools.release.make import build_tagged, make
from tools.release.prepare import prepare
from tools.release.refusal import Refusal, Refused
from tools.release.repository import GitError, Repository
from tools.release.rise import Rise
from tools.release.status import Status, table
from tools.release.trial import RUNNING, trial
from tools.workspace import ROOT, Workspace, WorkspaceError

_INTERRUPTED = 130

T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if something is refused or fails, 130 if interrupted."""
    options = _parse(argv)
    root = options.root.resolve()
    try:
        with tempfile.TemporaryDirectory(prefix="mist-release-") as directory:
            options.work = Path(directory).resolve()
            return int(not options.run(Repository(root), Workspace.load(root), options))
    except (WorkspaceError, GitError, BuildError, Refused) as exc:
        print(exc, file=sys.stderr)
        return 1
    except BrokenPipeError:  # nobody reads on, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED


def _status(repository: Repository, workspace: Workspace, options: argparse.Namespace) -> bool:
    """Tell what changed in each package since its last tag, in the order of releases."""
    chosen = candidates(repository, workspace, options.packages or list(workspace.distributions))
    statuses = [Status.read(each) for each in chosen]
    if options.packages:
        for status in statuses:
            print(*status.details(), "", sep="\n")
    print(table(statuses))
    return True


def _api(repository: Repository, workspace: Workspace, options: argparse.Namespace) -> bool:
    """Tell what each public interface gained and lost, and the version that takes.

    It fails if a version was raised, and not far enough.
    """
    if options.against and not repository.has(options.against):
        raise Refused(
            Refusal(
                f"there is no revision {options.against!r} here", "git fetch --tags, or name one"
            )
        )
    chosen = candidates(repository, workspace, options.packages or list(workspace.distributions))
    rises = [Rise.read(each, options.against) for each in chosen]
    for rise in rises:
        print(*rise.lines(), sep="\n")
    return all(rise.suffices for rise in rises)


def _prepare(repository: Repository, workspace: Workspace, options: argparse.Namespace) -> bool:
    """Write a package's next version into pyproject.toml, and close its changelog's open section.

    Nothing is written if anything speaks against it. Siblings whose ranges exclude the version are
    named.
    """
    lines = prepare(
        repository,
        workspace,
        options.package,
        options.version,
        day=options.date,
        widen=options.widen,
    )
    print(*lines, f"Commit this on main, then: hatch run release make {options.package}", sep="\n")
    return True


def _make(repository: Repository, workspace: Workspace, options: argparse.Namespace) -> bool:
    """Build a release, build it again and compare, test the wheel alone, and show what would be out.

    Every reason against it is told before that. The tests run beside the newest and the oldest
    siblings that it admits. This is a dry run, on any branch; with --tag, on main, it makes the
    tags. It uploads nothing.
    """
    chosen = candidates(repository, workspace, options.packages)
    return _run(make(chosen, repository, options.out, options.work, tag=options.tag))


def _build(repository: Repository, workspace: Workspace, options: argparse.Namespace) -> bool:
    """Build what a tag names, if nothing speaks against it.

    The release workflow runs this. The files to publish go into dist/, the bill of materials, notes
    and sums into papers/.
    """
    _run(build_tagged(tagged(repository, workspace, options.of), options.out, options.work))
    return True


def _test(repository: Repository, workspace: Workspace, options: argparse.Namespace) -> bool:
    """Build a tag again, insist on the very files that build made, and test them alone.

    The release workflow runs this, on another machine.
    """
    candidate = tagged(repository, workspace, options.of)
    given = Files.found(options.out.resolve() / papers.DIST)  # other processes install them
    pythons = options.python or [RUNNING]
    return report(_run(trial(candidate, given, options.work, pythons)))


def _run(work: Coroutine[Any, Any, T]) -> T:
    async def ending_with_what_it_started() -> T:
        cancel_on_sigterm()
        return await work

    return asyncio.run(ending_with_what_it_started())


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the workspace to release from")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run: Callable[..., bool]) -> argparse.ArgumentParser:
        made = commands.add_parser(run.__name__.lstrip("_"), description=run.__doc__)
        made.set_defaults(run=run)
        return made

    status = command(_status)
    status.add_argument("packages", nargs="*", help="name some to see their commits (default: all)")

    api = command(_api)
    api.add_argument("packages", nargs="*", help="packages (default: all)")
    api.add_argument("--against", metavar="REV", help="compare with this (default: last release)")

    ready = command(_prepare)
    ready.add_argument("package", help="like mist-retry")
    ready.add_argument("version", help="like 0.2.0")
    ready.add_argument(
        "--date", type=_day, default=dt.date.today(), metavar="YYYY-MM-DD", help="default: today"
    )
    ready.add_argument("--widen", action="store_true", help="let siblings' ranges admit it, too")

    release = command(_make)
    release.add_argument("packages", nargs="+", help="packages, in any order")
    release.add_argument("--tag", action="store_true", help="make the tags, on this machine only")
    _out(release, Path("dist"), "a folder for each tag is written below this (default: dist)")

    build = command(_build)
    build.add_argument("of", metavar="TAG", help="like mist-retry-v0.2.0, and checked out")
    _out(build, Path("release"), "dist/ and papers/ are written below this (default: release)")

    test = command(_test)
    test.add_argument("of", metavar="TAG", help="like mist-retry-v0.2.0, and checked out")
    test.add_argument(
        "--python", action="append", metavar="VERSION", help="may be repeated (default: this one)"
    )
    _out(test, Path("release"), "where build wrote (default: release)")
    return parser.parse_args(argv)


def _out(parser: argparse.ArgumentParser, default: Path, help_: str) -> None:
    parser.add_argument("--out", type=Path, default=default, metavar="DIR", help=help_)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it like 2026-11-28") from None


if __name__ == "__main__":
    sys.exit(main())
