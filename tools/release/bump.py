"""How far a version must rise for what changed in it (Semantic Versioning 2.0.0, items 4 to 9)."""

from enum import IntEnum

from packaging.version import Version


class Change(IntEnum):
    """What a release changes in the public interface, the gravest last."""

    NOTHING = 0
    ADDED = 1
    BREAKING = 2


def part(before: Version, change: Change) -> str:
    """Name the part of a version that a change must raise; before 1.0 a part lower serves."""
    if change is Change.BREAKING:
        return "major" if before.major else "minor"
    return "minor" if change is Change.ADDED and before.major else "patch"


def lowest(before: Version, change: Change) -> Version:
    """Compute the lowest version that may follow another after a change."""
    raised = {
        "major": (before.major + 1, 0, 0),
        "minor": (before.major, before.minor + 1, 0),
        "patch": (before.major, before.minor, before.micro + 1),
    }[part(before, change)]
    return Version(".".join(map(str, raised)))


def suffices(before: Version, after: Version, change: Change) -> bool:
    """Tell whether a version rises far enough; a pre-release promises nothing yet (item 9)."""
    floor = Version(before.base_version) if before.is_prerelease else lowest(before, change)
    return after > before and Version(after.base_version) >= floor
