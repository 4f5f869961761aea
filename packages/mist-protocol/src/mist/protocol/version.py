"""Which protocol versions two tools have in common."""

from typing import Final

from mist.protocol.errors import UnsupportedVersion
from mist.protocol.excerpt import excerpt

CURRENT_VERSION: Final = "1"
"""The version that new messages carry."""

MIN_SUPPORTED_VERSION: Final = "1"
"""The oldest version that this implementation reads."""

MAX_SUPPORTED_VERSION: Final = "1"
"""The newest version that this implementation reads."""

_INT64_LIMIT = 1 << 63
_INT64_DIGITS = 19


def check_version(version: str) -> None:
    """Accept a message's version, or raise.

    Args:
        version: As it stands in the envelope.

    Raises:
        UnsupportedVersion: It is not a number, too old, or too new.
    """
    number = _parse(version)
    if number is None:
        raise UnsupportedVersion(
            f"invalid version {excerpt(version)}: expected a whole number such as '1'"
        )
    if number < int(MIN_SUPPORTED_VERSION):
        raise UnsupportedVersion(
            f"version {excerpt(version)} is too old (min supported: {MIN_SUPPORTED_VERSION})"
        )
    if number > int(MAX_SUPPORTED_VERSION):
        raise UnsupportedVersion(
            f"version {excerpt(version)} is too new (max supported: {MAX_SUPPORTED_VERSION})"
        )


def is_compatible(version: str) -> bool:
    """Tell whether a message's version lies in the supported range."""
    try:
        check_version(version)
    except UnsupportedVersion:
        return False
    return True


def negotiate_version(local: str, remote: str) -> str:
    """Return the highest version that both sides speak.

    Args:
        local: Our range, `"min-max"`, or one version.
        remote: The peer's range, in the same form.

    Raises:
        UnsupportedVersion: The ranges do not overlap, or one of them is malformed.
    """
    local_min, local_max = _parse_range(local, "local")
    remote_min, remote_max = _parse_range(remote, "remote")
    highest = min(local_max, remote_max)
    if highest < max(local_min, remote_min):
        raise UnsupportedVersion(
            f"no compatible version (local {excerpt(local)}, remote {excerpt(remote)})"
        )
    return str(highest)


def version_info() -> str:
    """Describe the supported versions in one line for a human reader."""
    line = f"MIST protocol version {CURRENT_VERSION}"
    if (MIN_SUPPORTED_VERSION, MAX_SUPPORTED_VERSION) != (CURRENT_VERSION, CURRENT_VERSION):
        line += f" (supports {MIN_SUPPORTED_VERSION}-{MAX_SUPPORTED_VERSION})"
    return line


def _parse(text: str) -> int | None:
    stripped = text.strip()
    digits = stripped[1:] if stripped.startswith(("+", "-")) else stripped
    # What Go's strconv.Atoi takes: int() would also allow `1_0` and other scripts' digits.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _INT64_DIGITS):
        return None
    number = int(stripped)
    return number if -_INT64_LIMIT <= number < _INT64_LIMIT else None


def _parse_range(text: str, side: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    minimum, maximum = _parse(low), _parse(high if dash else low)
    if minimum is None or maximum is None:
        raise UnsupportedVersion(
            f"invalid {side} version range {excerpt(text)}: expected 'min-max' or one version"
        )
    if minimum > maximum:
        raise UnsupportedVersion(
            f"invalid {side} version range {excerpt(text)}: min {minimum} > max {maximum}"
        )
    return minimum, maximum
