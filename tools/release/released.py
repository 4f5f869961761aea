"""What has been released: the tags, one per package and version."""

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
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
    def read(cls, repository: Repository) -> "Released":
        """Read every tag."""
        found: dict[str, dict[Version, str]] = {}
        for name in repository.tags():
            if tag := Tag.parse(name):
                found.setdefault(tag.package, {})[tag.version] = f"refs/tags/{name}"
        return cls(found)

    def last(self, package: str) -> Tag | None:
        """Name a package's release with the highest version."""
        versions = self.revisions.get(package, {})
        return Tag(package, max(versions)) if versions else None

    def before(self, package: str) -> Tag | None:
        """Name the release that the next is measured against: the last final one, else the last."""
        final = [v for v in self.revisions.get(package, {}) if not v.is_prerelease]
        return Tag(package, max(final)) if final else self.last(package)

    def admitted(self, package: str, specifier: SpecifierSet) -> list[Version]:
        """List a package's released versions within a range, lowest first."""
        versions = self.revisions.get(package, {})
        return sorted(each for each in versions if specifier.contains(each, prereleases=True))

    def revision(self, package: str, version: Version) -> str:
        """Tell the revision that holds a release."""
        return self.revisions[package][version]

    def plus(self, tag: Tag, revision: str) -> "Released":
        """Count a release as made, from a revision."""
        versions = {**self.revisions.get(tag.package, {}), tag.version: revision}
        return Released({**self.revisions, tag.package: versions})

    def until(self, tag: Tag) -> "Released":
        """Count a release, and its package's later ones, as not made."""
        versions = self.revisions.get(tag.package, {})
        earlier = {each: at for each, at in versions.items() if each < tag.version}
        return Released({**self.revisions, tag.package: earlier})


def read_version(text: str) -> Version:
    """Read a version of three numbers, written as it will be shown.

    Raises:
        Refused: It is not a version, or not in its normal form (PEP 440).
    """
    try:
        version = Version(text)
    except InvalidVersion:
        version = Version("0.2.0")
    if str(version) != text or version.local or len(version.release) != 3:
        numbers = f"{version.major}.{version.minor}.{version.micro}"
        raise Refused(Refusal(f"{text!r} is not a version to release", f"write it like {numbers}"))
    return version
