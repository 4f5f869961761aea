"""Make a release: refuse, build, try, lay out and, if asked, tag."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.isolate.outcome import Outcome, report
from tools.release import papers
from tools.release.build import Files, build_alone, sha256
from tools.release.checks import Candidate, check_after_tag, check_before_tag, check_tree
from tools.release.refusal import Refusal, Refused
from tools.release.repository import Repository
from tools.release.sbom import sbom
from tools.release.trial import trial


@dataclass(frozen=True, slots=True)
class Made:
    """One package's release as it lies on disk, and what its tests said."""

    candidate: Candidate
    written: tuple[Path, ...]
    outcomes: tuple[Outcome, ...] = ()

    def lines(self) -> Iterator[str]:
        """Tell the tag, the files with their SHA-256, and the notes."""
        candidate = self.candidate
        yield f"{candidate.tag} at {candidate.commit[:12]}, after {candidate.before or 'nothing'}"
        for path in self.written:
            yield f"  {sha256(path)}  {path}"
        for line in candidate.difference().breaking:
            yield f"  breaks {line}"
        for line in candidate.changelog.notes(candidate.tag.version).splitlines():
            yield f"  | {line}".rstrip()


async def make(
    candidates: Sequence[Candidate], repository: Repository, out: Path, work: Path, *, tag: bool
) -> bool:
    """Do all that a release takes short of publishing; tell whether nothing is against it.

    Without `tag` it may run on any branch, to see what would come of it.

    Raises:
        Refused: Something speaks against a package or the working tree.
        BuildError: A package does not build.
    """
    elsewhere = list(check_before_tag(repository))
    against = [each for candidate in candidates for each in candidate.check()]
    against = [*check_tree(repository), *(elsewhere if tag else ()), *against]
    if against:
        raise Refused(*against)
    made: list[Made] = []
    for candidate in candidates:
        here = work / str(candidate.tag)
        _tell(f"{candidate.tag}: building")
        files = await build_alone(candidate, here)
        _tell(f"{candidate.tag}: building again, and testing the wheel alone")
        outcomes = await trial(candidate, files, here / "trial")
        written = lay_out(candidate, files, out / str(candidate.tag))
        made.append(Made(candidate, written, tuple(outcomes)))
    passed = report([outcome for each in made for outcome in each.outcomes])
    for each in made:
        print("", *each.lines(), sep="\n")
    print("", *conclude(made, elsewhere, passed=passed, tag=tag), sep="\n")
    return passed and not elsewhere


def lay_out(candidate: Candidate, files: Files, out: Path) -> tuple[Path, ...]:
    """Write a candidate's files, bill of materials, notes and sums below `out`."""
    notes = candidate.changelog.notes(candidate.tag.version)
    return tuple(papers.write(out, files, sbom(candidate, files), notes))


async def build_tagged(candidate: Candidate, out: Path, work: Path) -> None:
    """Build what a tag names, after all that may be refused has been looked at.

    Raises:
        Refused: Something speaks against it.
        BuildError: It does not build.
    """
    if against := [
        *check_tree(candidate.repository),
        *check_after_tag(candidate.repository),
        *candidate.check(),
    ]:
        raise Refused(*against)
    files = await build_alone(candidate, work)
    print(*Made(candidate, lay_out(candidate, files, out)).lines(), sep="\n")


def conclude(
    made: Sequence[Made], elsewhere: Sequence[Refusal], *, passed: bool, tag: bool
) -> Iterator[str]:
    """Make the tags, if all is well and they are asked for, and tell what is to be done next."""
    if not passed:
        yield "Nothing is tagged: tests failed."
    elif not tag:
        yield from map(str, elsewhere)
        yield "A dry run: nothing is tagged, nothing has left this machine. --tag makes the tags."
    else:
        for each in made:
            _tag(each.candidate)
        yield "Tagged here. Pushing a tag publishes its package; one by one, in this order:"
        yield from (f"  git push origin {each.candidate.tag}" for each in made)


def _tag(candidate: Candidate) -> None:
    notes = candidate.changelog.notes(candidate.tag.version)
    message = f"{candidate.name} {candidate.tag.version}\n\n{notes}\n"
    candidate.repository.tag(str(candidate.tag), candidate.commit, message)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
