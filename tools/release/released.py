"""What has been released: the tags, one per package and version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from tools.release.refusal import Refusal, Refused
from tools.release.repository import Repository


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """The name of one package's release: `mist-retry-v0.2.0`."""

    package: str
    version: Version

    def __str__(self) -> str:
        return f"{self.package}-v{self.version}"

    @classmethod
    def parse(cls, text: str) -> "Tag | None":
        """Read a tag's name; None for a tag that names no release."""
        package, _, version = text.rpartition("-v")
        try:
            tag = cls(package, Version(version))
        except InvalidVersion:
            return None
        return tag if package and str(tag) == text else None


@dataclass(frozen=True, slots=True)
class Released:
    """Each package's versions, and the revision that holds each."""

    revisions: Mapping[str, Mapping[Version, str]]

    @classmethod
    def read(cls, repository: Repository, merged_into: str = "") -> "Released":
        """Read every tag, or those in the history of a revision."""
        found: dict[str, dict[Version, str]] = {}
        for name in repository.tags(merged_into):
            if tag := Tag.parse(name):
                found.setdefault(tag.package, {})[tag.version] = f"refs/tags/{name}"
        return cls(found)

    def last(self, package: str) -> Tag | None:
        """Name a package's release with the highest version."""
        versions = self.revisions.get(package, {})
        return Tag(package, max(versions)) if versions else None

    def admitted(self, requirement: Requirement) -> list[Version]:
        """List the released versions that a requirement admits, lowest first."""
        versions = self.revisions.get(requirement.name, {})
        return sorted(v for v in versions if requirement.specifier.contains(v, prereleases=True))

    def revision(self, package: str, version: Version) -> str:
        """Tell the revision that holds a release."""
        return self.revisions[package][version]

    def plus(self, tags: Iterable[Tag], revision: str) -> "Released":
        """Count some releases as made, from a revision."""
        revisions = {name: dict(versions) for name, versions in self.revisions.items()}
        for tag in tags:
            revisions.setdefault(tag.package, {})[tag.version] = revision
        return replace(self, revisions=revisions)


def read_version(text: str) -> Version:
    """Read a version that is written as it will be shown.

    Raises:
        Refused: It is not a version, or not its normal form (PEP 440).
    """
    try:
        version = Version(text)
    except InvalidVersion:
        version = None
    if version is None or str(version) != text or version.local:
        normal = str(version.public if version else "0.2.0")
        raise Refused(Refusal(f"{text!r} is not a version to release", f"write it like {normal}"))
    return version
