"""The value of a `tracestate` header: W3C Trace Context, level 1."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN = "mist"
_MOST_MEMBERS = 32
_LONGEST_KEY = 256
_LONGEST_TENANT, _LONGEST_SYSTEM = 241, 14
_LONGEST_VALUE = 256
# Twice what the most and longest members need; what is longer is no tracestate.
_LONGEST = 2 * _MOST_MEMBERS * (_LONGEST_KEY + _LONGEST_VALUE)

_DIGITS = "0123456789"
_FIRST = "abcdefghijklmnopqrstuvwxyz" + _DIGITS
_KEY = _FIRST + "_-*/"


def parse_tracestate(values: Iterable[str]) -> tuple[str, ...]:
    """Read the values of all `tracestate` headers, in their order.

    Returns:
        The members, each `key=value`, without our own; none at all where anything is invalid,
        a key is there twice, or there are more than 32.
    """
    text = ",".join(values)
    members: dict[str, str] = {}
    if len(text) > _LONGEST:
        return ()
    for part in text.split(","):
        member = part.strip(" \t")
        if not member:
            continue
        key, _, value = member.partition("=")
        if key in members or not (_is_key(key) and _is_value(value)):
            return ()
        members[key] = member
    if len(members) > _MOST_MEMBERS:
        return ()
    members.pop(_OWN, None)
    return tuple(members.values())


def format_tracestate(span_id: str, members: tuple[str, ...]) -> str:
    """Write a `tracestate` header: our own member first, then as many others as may be."""
    return ",".join((f"{_OWN}={span_id}", *members[: _MOST_MEMBERS - 1]))


def _is_key(key: str) -> bool:
    if "@" not in key:
        return _is_name(key, _LONGEST_KEY)
    tenant, _, system = key.partition("@")
    return (
        _is_name(tenant, _LONGEST_TENANT)
        and _is_name(system, _LONGEST_SYSTEM)
        and system[0] not in _DIGITS
    )


def _is_name(name: str, longest: int) -> bool:
    return 0 < len(name) <= longest and name[0] in _FIRST and not name.strip(_KEY)


def _is_value(value: str) -> bool:
    return (
        0 < len(value) <= _LONGEST_VALUE
        and value.isascii()
        and value.isprintable()
        and "=" not in value
    )
