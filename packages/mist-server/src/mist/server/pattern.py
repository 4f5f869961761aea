"""Patterns as of Go 1.22's `http.ServeMux`: what they say, and how two of them compare.

A path is a row of segments. `/a/{id}` is two, a literal and a wildcard for one segment. A path that
ends with a slash has a last, empty segment: `{$}` matches just that one, and a wildcard for the
rest (`{path...}`, or nothing after the last slash) matches it and whatever may stand there instead.
"""

import enum
import re
from dataclasses import dataclass
from itertools import count
from posixpath import normpath
from typing import Final
from urllib.parse import quote, unquote

from mist.errors import Code
from mist.server.errors import PatternError

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_PORT: Final = re.compile(r":\d*$")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")


class Kind(enum.Enum):
    """What a segment of a pattern matches."""

    LITERAL = enum.auto()
    ONE = enum.auto()
    REST = enum.auto()
    END = enum.auto()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a pattern.

    Attributes:
        kind: What it matches.
        text: A literal's text, without percent-encoding, or a wildcard's name.
    """

    kind: Kind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`[METHOD ][HOST]/[PATH]`, taken apart.

    Attributes:
        text: The pattern as it was written.
        method: The method, or nothing for any; GET is for HEAD, too.
        host: The host, in lower case, or nothing for any.
        segments: The path.
    """

    text: str
    method: str
    host: str
    segments: tuple[Segment, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the wildcards, from left to right."""
        return tuple(s.text for s in self.segments if s.kind in (Kind.ONE, Kind.REST) and s.text)


def clean_path(path: str) -> str:
    """Return a path without empty, `.` and `..` segments; a slash at its end stays."""
    if path.startswith("/") and "//" not in path and "/." not in path:
        return path
    cleaned = "/" + normpath("/" + path).lstrip("/")
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned


def parse(text: str) -> Pattern:
    """Take a pattern apart.

    Raises:
        PatternError: It is none; the text names the place.
    """
    head, blank, rest = text.partition(" ")
    method, place = (head, rest.lstrip(" ")) if blank else ("", text)
    start = len(text) - len(place)
    _check_method(text, method if blank else None)
    if "/" not in place:
        raise _invalid(text, start, place, "expected '[METHOD ][HOST]/[PATH]', with a slash")
    host, path = place[: place.index("/")], place[place.index("/") :]
    _check_host(text, start, host, method)
    if method != "CONNECT" and path != clean_path(path):
        raise _invalid(
            text,
            start + len(host),
            path,
            f"requests are redirected to the clean path, so this never matches;"
            f" write {clean_path(path)!r}",
        )
    return Pattern(text, method, host.lower(), _segments(text, start + len(host), path))


def relation(first: Pattern, second: Pattern) -> tuple[bool, bool] | None:
    """Compare what two patterns match, their hosts aside.

    Returns:
        Whether the first, and whether the second, matches something that the other does not;
        None where no request matches both.
    """
    methods = _compare_methods(first.method, second.method)
    paths = _compare_paths(first.segments, second.segments)
    if methods is None or paths is None:
        return None
    return methods[0] or paths[0], methods[1] or paths[1]


def conflict(first: Pattern, second: Pattern) -> str | None:
    """Tell why neither of two patterns can take precedence, or None where one can.

    The one with a host takes precedence over the one without, and of two that agree in that, the
    one whose requests are all matched by the other, too.
    """
    related = relation(first, second) if first.host == second.host else None
    if related is None or related[0] != related[1]:
        return None
    if related == (False, False):
        return "they match the same requests"
    return (
        f"both match {_example(first, second)}, and neither is more specific:"
        f" only {first.text!r} matches {_example_of_only(first, second)},"
        f" only {second.text!r} matches {_example_of_only(second, first)}"
    )


def _invalid(text: str, at: int, part: str, reason: str) -> PatternError:
    return PatternError(
        Code.VALIDATION, f"invalid pattern {text!r}: at character {at + 1}, {part!r}: {reason}"
    )


def _check_method(text: str, method: str | None) -> None:
    if method is None:
        return
    if not _TOKEN.fullmatch(method):
        raise _invalid(text, 0, method, "expected a method, such as GET, before the space")
    if method not in _METHODS and method.upper() in _METHODS:
        raise _invalid(text, 0, method, f"methods are case-sensitive; write {method.upper()}")


def _check_host(text: str, at: int, host: str, method: str) -> None:
    if "{" in host or "}" in host:
        raise _invalid(text, at, host, "a host has no wildcards; is a slash missing before it?")
    if _PORT.search(host.rpartition("]")[2]) and method != "CONNECT":
        raise _invalid(text, at, host, "hosts are matched without their port; leave it out")


def _segments(text: str, at: int, path: str) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    parts = path[1:].split("/")
    at += 1
    for part in parts[:-1]:
        segment = _segment(text, at, part)
        if segment.kind in (Kind.REST, Kind.END):
            raise _invalid(text, at, part, "nothing can follow this wildcard")
        segments.append(segment)
        at += len(part) + 1
    segments.append(_segment(text, at, parts[-1]) if parts[-1] else Segment(Kind.REST))
    names = [s.text for s in segments if s.kind is not Kind.LITERAL and s.text]
    for name in names:
        if names.count(name) > 1:
            raise _invalid(text, at - len(path), path, f"the name {name!r} is there twice")
    return tuple(segments)


def _segment(text: str, at: int, part: str) -> Segment:
    if "{" not in part and "}" not in part:
        return Segment(Kind.LITERAL, unquote(part))
    if not (part.startswith("{") and part.endswith("}")) or part.count("{") + part.count("}") > 2:  # noqa: PLR2004  # one of each
        raise _invalid(text, at, part, "a wildcard is a whole segment, such as '{name}'")
    name = part[1:-1]
    if name == "$":
        return Segment(Kind.END)
    kind = Kind.REST if name.endswith("...") else Kind.ONE
    name = name.removesuffix("...")
    if not name.isidentifier():
        raise _invalid(text, at, part, "a wildcard's name is an identifier, such as '{name}'")
    return Segment(kind, name)


def _compare_methods(first: str, second: str) -> tuple[bool, bool] | None:
    if first == second:
        return False, False
    if not second or (second == "GET" and first == "HEAD"):
        return False, True
    if not first or (first == "GET" and second == "HEAD"):
        return True, False
    return None


def _compare_paths(
    first: tuple[Segment, ...], second: tuple[Segment, ...]
) -> tuple[bool, bool] | None:
    first_only = second_only = False
    for one, other in zip(first, second, strict=False):
        if Kind.REST in (one.kind, other.kind):
            return first_only or other.kind is not Kind.REST, (
                second_only or one.kind is not Kind.REST
            )
        kinds = (one.kind, other.kind)
        if kinds == (Kind.ONE, Kind.LITERAL):
            first_only = True
        elif kinds == (Kind.LITERAL, Kind.ONE):
            second_only = True
        elif one.kind is not other.kind or (one.kind is Kind.LITERAL and one.text != other.text):
            return None
    return (first_only, second_only) if len(first) == len(second) else None


def _example(first: Pattern, second: Pattern) -> str:
    """Return a request that both match."""
    return _request(_common_method(first, second), first, _common_parts(first, second))


def _example_of_only(pattern: Pattern, other: Pattern) -> str:
    """Return a request that the one matches, and the other does not."""
    paths = _compare_paths(pattern.segments, other.segments)
    if paths is None or not paths[0]:
        method = next(
            m for m in ("GET", "POST", "PUT") if pattern.method in ("", m) and other.method != m
        )
        return _request(method, pattern, _common_parts(pattern, other))
    parts = _common_parts(pattern, other)
    for index, (one, another) in enumerate(zip(pattern.segments, other.segments, strict=False)):
        if one.kind is Kind.ONE and another.kind is Kind.LITERAL:
            parts[index] = _other_than(another.text)
            break
        if one.kind is Kind.REST:
            parts[index:] = [_other_than("")] if another.kind is Kind.END else [""]
            break
    return _request(_common_method(pattern, other), pattern, parts)


def _common_method(first: Pattern, second: Pattern) -> str:
    return "HEAD" if "HEAD" in (first.method, second.method) else first.method or second.method


def _common_parts(first: Pattern, second: Pattern) -> list[str]:
    """Return the segments of a path that both patterns match."""
    longer, shorter = sorted((first.segments, second.segments), key=len, reverse=True)
    parts: list[str] = []
    for index, segment in enumerate(longer):
        other = shorter[index] if index < len(shorter) else segment
        literal = next((s for s in (segment, other) if s.kind is Kind.LITERAL), None)
        if literal is not None:
            parts.append(literal.text)
        elif Kind.ONE in (segment.kind, other.kind):
            parts.append(_other_than(""))
        else:
            parts.append("")
    return parts


def _other_than(text: str) -> str:
    return next(f"x{n or ''}" for n in count() if f"x{n or ''}" != text)


def _request(method: str, pattern: Pattern, parts: list[str]) -> str:
    path = "/".join(quote(part, safe="") for part in parts)
    return f"'{method or 'GET'} {pattern.host}/{path}'"
