"""What changed in each package since its last release."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.columns import columns
from tools.release.api import Difference
from tools.release.bump import lowest
from tools.release.checks import Candidate
from tools.release.repository import shortened

_HEADERS = ("package", "version", "released", "commits", "files", "breaking", "new", "next")


@dataclass(frozen=True, slots=True)
class Status:
    """One package's changes since its last release; without a release, everything it holds."""

    candidate: Candidate
    commits: list[str]
    files: list[str]
    difference: Difference

    @classmethod
    def read(cls, candidate: Candidate) -> "Status":
        """Ask git what changed below the package's directory."""
        root, directory = candidate.repository.root, candidate.distribution.directory
        path = directory.relative_to(root).as_posix()
        last = candidate.released.last(candidate.name)
        since = candidate.released.revision(candidate.name, last.version) if last else ""
        files = candidate.repository.changed(since, path)
        in_code = any(file.startswith(f"{path}/src/") for file in files)
        return cls(
            candidate,
            candidate.repository.commits(since, path),
            files,
            candidate.difference() if in_code else Difference(),
        )

    @property
    def next(self) -> str:
        """What there is to do for its next release."""
        version, last = (
            self.candidate.tag.version,
            self.candidate.released.last(self.candidate.name),
        )
        sections = self.candidate.changelog.sections
        if (last is None or version > last.version) and sections and sections[0].is_dated:
            return f"make {self.candidate.name}"
        if last and not self.files:
            return "nothing to release"
        floor = lowest(last.version, self.difference.change) if last else version
        return f"prepare {self.candidate.name} {floor}"

    def row(self) -> tuple[str, ...]:
        """Spell the row's cells."""
        last = self.candidate.released.last(self.candidate.name)
        counts = (self.commits, self.files, self.difference.breaking, self.difference.added)
        return (
            self.candidate.name,
            str(self.candidate.tag.version),
            str(last.version) if last else "never",
            *(str(len(each)) for each in counts),
            self.next,
        )

    def details(self) -> Iterator[str]:
        """Tell the commits and the interface's changes, line by line."""
        last = self.candidate.released.last(self.candidate.name)
        yield f"{self.candidate.name} since {last or 'the beginning'}"
        for title, lines in (
            ("commits", self.commits),
            ("breaking", list(self.difference.breaking)),
            ("new", list(self.difference.added)),
        ):
            if lines:
                yield f"  {title}"
                yield from (f"    {line}" for line in shortened(lines))


def table(statuses: Sequence[Status]) -> str:
    """Draw one row per package, in the order of their release."""
    return columns(_HEADERS, [status.row() for status in statuses], right=range(3, 7))
