"""Every reason against a release that can be found without building it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.version import Version

from tools.document import Document
from tools.release.api import Difference, difference
from tools.release.bump import lowest, part, suffices
from tools.release.changelog import Changelog
from tools.release.ranges import check_ranges, in_order
from tools.release.refusal import Refusal, Refused
from tools.release.released import Released, Tag, read_version
from tools.release.repository import Repository, shortened
from tools.release.served import check_served
from tools.workspace import Distribution, Place, Workspace

MAIN = "main"
_PUBLISHED = f"refs/remotes/origin/{MAIN}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One package at the version that its files say, about to be released from a commit."""

    repository: Repository
    workspace: Workspace
    released: Released
    distribution: Distribution
    commit: str

    @property
    def name(self) -> str:
        """The package's name."""
        return self.distribution.name

    @property
    def tag(self) -> Tag:
        """The tag that releases it."""
        return Tag(self.name, Version(self.distribution.version))

    @property
    def changelog(self) -> Changelog:
        """What it says of itself."""
        return Changelog.read(self.distribution.directory / "CHANGELOG.md", self.workspace.root)

    @property
    def before(self) -> Tag | None:
        """The release that this one is measured against."""
        return self.released.before(self.name)

    def difference(self) -> Difference:
        """Tell what the release changes in the public interface."""
        if self.before is None:
            return Difference()
        since = self.released.revision(self.name, self.before.version)
        return difference(self.repository, self.workspace, self.name, since, self.commit)

    def check(self) -> Iterator[Refusal]:
        """Yield every reason against releasing it."""
        version, last = self.tag.version, self.released.last(self.name)
        if last and version <= last.version:
            there = "already released" if version == last.version else f"older than {last}"
            floor = lowest(last.version, self.difference().change)
            yield Refusal(
                f"{self.name} {version} is {there}",
                f"write what is new into {self.changelog.place.as_posix()}, then: "
                f"{_prepare(self.name, floor)}",
                version_place(self.workspace, self.distribution),
            )
            return
        yield from self.changelog.check(self.name, version)
        for failure in check_ranges(self.workspace, self.name):
            yield Refusal(failure.wrong, failure.remedy, failure.place)
        yield from check_served(self.repository, self.workspace, self.released, self.name)
        if self.before:
            yield from check_rise(
                self.before,
                version,
                self.difference(),
                version_place(self.workspace, self.distribution),
            )


def candidates(
    repository: Repository, workspace: Workspace, packages: Sequence[str]
) -> list[Candidate]:
    """Take packages in the order of their release, each counting those before it as released.

    Raises:
        WorkspaceError: There is no such package.
        Refused: Its version is none.
    """
    released, commit = Released.read(repository), repository.head()
    found: list[Candidate] = []
    for name in in_order(workspace, [each.name for each in workspace.select(packages)]):
        distribution = workspace.distributions[name]
        read_version(distribution.version)
        each = Candidate(repository, workspace, released, distribution, commit)
        found.append(each)
        released = released.plus(each.tag, commit)
    return found


def tagged(repository: Repository, workspace: Workspace, text: str) -> Candidate:
    """Take the package that a tag names, as it was before that tag.

    Raises:
        WorkspaceError: There is no such package.
        Refused: The tag is not one of a release, is not there, or not what is checked out.
    """
    tag = Tag.parse(text)
    if tag is None:
        raise Refused(
            Refusal(f"{text!r} is not the tag of a release", "tags are like mist-retry-v0.2.0")
        )
    (distribution,) = workspace.select([tag.package])
    each = Candidate(
        repository,
        workspace,
        Released.read(repository).until(tag),
        distribution,
        repository.head(),
    )
    written, full = each.distribution.version, f"refs/tags/{tag}"
    if written != str(tag.version):
        raise Refused(
            Refusal(
                f"the tag says {tag.version}, {each.distribution.pyproject.as_posix()} says "
                f"{written}",
                f"delete the tag, and make the right one: hatch run release make {each.name} --tag",
            )
        )
    if not repository.has(full):
        make = f"hatch run release make {each.name} --tag"
        raise Refused(Refusal(f"there is no tag {tag} here", f"git fetch --tags, or: {make}"))
    if repository.commit(full) != each.commit:
        raise Refused(Refusal(f"{tag} is not the tag of {each.commit[:12]}", f"git checkout {tag}"))
    return each


def check_rise(before: Tag, version: Version, found: Difference, place: Place) -> Iterator[Refusal]:
    """Yield a refusal if a version rises too little for what it changes."""
    if suffices(before.version, version, found.change):
        return
    verb = "breaks" if found.breaking else "adds to"
    wrong = (
        f"{before.package} {version} {verb} what {before.version} offers, "
        f"which takes a new {part(before.version, found.change)} version:"
    )
    lines = shortened(list(found.breaking or found.added))
    yield Refusal(
        "\n      ".join([wrong, *lines]),
        f"{_prepare(before.package, lowest(before.version, found.change))}, or keep what was there",
        place,
    )


def check_before_tag(repository: Repository) -> Iterator[Refusal]:
    """Yield a refusal if a tag made here would name a commit that is not published from."""
    if (branch := repository.branch()) != MAIN:
        yield Refusal(
            f"this is {f'the branch {branch}' if branch else 'no branch'}, not {MAIN}",
            f"merge it, and release from there: git switch {MAIN}",
        )
    elif repository.has(_PUBLISHED) and not repository.reaches(_PUBLISHED, repository.head()):
        yield Refusal(f"{MAIN} has commits that origin does not", f"git push origin {MAIN}")


def check_after_tag(repository: Repository) -> Iterator[Refusal]:
    """Yield a refusal if what a tag names is not part of the main branch."""
    if not any(
        repository.has(each) and repository.reaches(each, repository.head())
        for each in (_PUBLISHED, f"refs/heads/{MAIN}")
    ):
        yield Refusal(
            f"{repository.head()[:12]} is not part of {MAIN}",
            f"merge it into {MAIN} first, and tag what came of it",
        )


def check_tree(repository: Repository) -> Iterator[Refusal]:
    """Yield a refusal if anything here is in no commit."""
    if dirt := repository.dirt():
        lines = "".join(f"\n      {line}" for line in shortened(dirt))
        yield Refusal(f"these are in no commit:{lines}", "commit them, or: git stash -u")


def version_place(workspace: Workspace, distribution: Distribution) -> Place:
    """Tell where a distribution's version is written."""
    document = Document(workspace.root / distribution.pyproject)
    return Place(distribution.pyproject, document.line("project", "version"))


def _prepare(name: str, version: Version) -> str:
    return f"hatch run release prepare {name} {version}"
