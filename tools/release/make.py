"""Make a release: refuse, build, try, lay out and, if asked, tag."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.isolate.outcome import Outcome, table
from tools.release import papers
from tools.release.build import Files, build_twice, sha256
from tools.release.checks import Candidate, check_after_tag, check_before_tag
from tools.release.refusal import Refused
from tools.release.repository import Repository
from tools.release.sbom import sbom
from tools.release.trial import trial


@dataclass(frozen=True, slots=True)
class Made:
    """One package's release as it lies on disk, and what its tests said."""

    candidate: Candidate
    written: tuple[Path, ...]
    outcomes: tuple[Outcome, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a test failed."""
        return any(outcome.problems for outcome in self.outcomes)

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

    Raises:
        Refused: Something speaks against a package, or with `tag` against the working tree.
        BuildError: A package does not build.
    """
    against = [each for candidate in candidates for each in candidate.check()]
    of_tree = list(check_before_tag(repository))
    if against or (tag and of_tree):
        raise Refused(*of_tree, *against)
    made: list[Made] = []
    for candidate in candidates:
        _tell(f"{candidate.tag}: building twice")
        files, written = await lay_out(candidate, out / str(candidate.tag), work)
        _tell(f"{candidate.tag}: same bytes; testing the wheel alone")
        outcomes = await trial(candidate, files, work / str(candidate.tag) / "trial")
        made.append(Made(candidate, written, tuple(outcomes)))
    return _conclude(made, of_tree, repository, tag=tag)


async def lay_out(candidate: Candidate, out: Path, work: Path) -> tuple[Files, tuple[Path, ...]]:
    """Build a candidate and write it, its bill of materials, notes and sums below `out`."""
    files = await build_twice(candidate, work / str(candidate.tag))
    notes = candidate.changelog.notes(candidate.tag.version)
    return files, tuple(papers.write(out, files, sbom(candidate, files), notes))


async def build_tagged(candidate: Candidate, out: Path, work: Path) -> None:
    """Build what a tag names, after all that may be refused has been looked at.

    Raises:
        Refused: Something speaks against it.
        BuildError: It does not build.
    """
    if against := [*check_after_tag(candidate.repository), *candidate.check()]:
        raise Refused(*against)
    _, written = await lay_out(candidate, out, work)
    print(*Made(candidate, written).lines(), sep="\n")


def report(outcomes: Sequence[Outcome]) -> bool:
    """Print what the tests said; tell whether all passed."""
    for outcome in outcomes:
        for problem in outcome.problems:
            print(f"\n== {outcome.package} on Python {outcome.python} ==\n{problem}")
    print(f"\n{table(outcomes)}")
    return not any(outcome.problems for outcome in outcomes)


def _conclude(
    made: Sequence[Made], of_tree: Sequence[object], repository: Repository, *, tag: bool
) -> bool:
    passed = report([outcome for each in made for outcome in each.outcomes])
    for each in made:
        print("", *each.lines(), sep="\n")
    print()
    if not passed:
        print("Nothing is tagged: tests failed.")
    elif tag:
        _tag(made, repository)
    else:
        print(*of_tree, sep="\n", end="\n" if of_tree else "")
        print("A dry run: nothing is tagged, nothing has left this machine. --tag makes the tags.")
    return passed and not of_tree


def _tag(made: Sequence[Made], repository: Repository) -> None:
    commit = made[0].candidate.commit
    if repository.head() != commit:
        raise Refused(moved(commit))
    for each in made:
        candidate = each.candidate
        notes = candidate.changelog.notes(candidate.tag.version)
        repository.tag(
            str(candidate.tag), f"{candidate.name} {candidate.tag.version}\n\n{notes}\n"
        )
    print("Tagged here. Each push of a tag publishes that package; one after the other, in order:")
    for each in made:
        print(f"  git push origin {each.candidate.tag}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
