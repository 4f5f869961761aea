"""How far a package's version has to rise for what its interface gained and lost."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version

from tools.release.api import Difference, difference
from tools.release.bump import lowest, part, suffices
from tools.release.checks import Candidate


@dataclass(frozen=True, slots=True)
class Rise:
    """A package's interface now, in the working tree, against an earlier revision."""

    candidate: Candidate
    since: str
    before: Version | None
    difference: Difference

    @classmethod
    def read(cls, candidate: Candidate, against: str | None = None) -> "Rise":
        """Compare with a revision, or else with the last release."""
        since, before = against or "", None
        if against:
            path = candidate.distribution.pyproject.as_posix()
            if candidate.repository.holds(against, path):
                text = candidate.repository.read(against, path)
                before = Version(tomllib.loads(text)["project"]["version"])
        elif candidate.before:
            since, before = str(candidate.before), candidate.before.version
        if before is None:
            return cls(candidate, since, None, Difference())
        found = difference(candidate.repository, candidate.workspace, candidate.name, since)
        return cls(candidate, since, before, found)

    @property
    def suffices(self) -> bool:
        """Whether the version rises far enough, or has not been raised yet."""
        now = self.candidate.tag.version
        return (
            self.before is None
            or now == self.before
            or suffices(self.before, now, self.difference.change)
        )

    def lines(self) -> Iterator[str]:
        """Tell it, the interface first and the version last."""
        name, now = self.candidate.name, self.candidate.tag.version
        if self.before is None:
            yield f"{name}: not there at {self.since}" if self.since else f"{name}: never released"
            return
        yield f"{name} since {self.since}"
        yield from (f"  breaks {each}" for each in self.difference.breaking)
        yield from (f"  new    {each}" for each in self.difference.added)
        change = self.difference.change
        if not change:
            yield "  the public interface is the same"
            return
        needed = (
            f"a new {part(self.before, change)} version: {lowest(self.before, change)} or later"
        )
        verdict = "enough" if self.suffices else "NOT ENOUGH"
        told = "not raised yet" if now == self.before else f"{now} is {verdict}"
        yield f"  takes {needed}; {told}"
