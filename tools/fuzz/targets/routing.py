"""Of patterns that do not conflict, the most specific that matches takes a request, in any order.

The input is a pattern a line, an empty line, and requests as `METHOD [HOST]/PATH`. A regular
expression for each pattern says what matches; the examples in an error must be right by it.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from mist.errors import Code
from mist.server.errors import PatternError
from mist.server.pattern import Kind, Pattern, clean_path, conflict, parse, relation
from mist.server.table import Table
from tools.fuzz import seeds as public

TOKENS = ("GET ", "HEAD ", "/{a}", "/{a...}", "/{$}", "host/", "%2F", "%2e", "/./", "//", "\n\n")

_MOST = 12  # patterns, and requests
_EXAMPLE = re.compile(r"'([^' ]+) ([^'/]*)(/[^']*)'")


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    head, _, tail = data.decode("utf-8", "replace").partition("\n\n")
    accepted: list[Pattern] = []
    for text in head.split("\n")[:_MOST]:
        try:
            pattern = parse(text)
        except PatternError as exc:
            assert exc.code == Code.VALIDATION
            continue
        assert parse(pattern.text) == pattern
        if all(_may_stand_beside(pattern, other) for other in accepted):
            accepted.append(pattern)
    forwards, backwards = _table(accepted), _table(accepted[::-1])
    for line in tail.split("\n")[:_MOST]:
        method, _, place = line.partition(" ")
        host, slash, path = place.partition("/")
        path = clean_path(slash + path)
        _finds_the_most_specific(forwards, backwards, accepted, (method, host.lower(), path))


def seeds() -> Iterator[bytes]:
    """Give the patterns of the documentation, and public hostile paths."""
    yield (
        b"/items\nGET /items/{id}\n/files/{path...}\n/files/\n/{$}\nexample.com/\nGET /\nPOST /a/{x}/b"
        b"\n/a/{x}/\n/a/b/{y}\n\nGET /items/1\nHEAD /items/a%2Fb\nPUT example.com/x\nGET /files/../x"
        b"\nPOST /a/b/b\nGET /\nGET /files/"
    )
    yield b"/{a}/b\n/a/{b}\n\nGET /a/b"
    yield b"GET /{a}\n/a\n\nHEAD /a"
    yield from (b"/" + each for each in public.json_documents())


def _may_stand_beside(pattern: Pattern, other: Pattern) -> bool:
    related, back = relation(pattern, other), relation(other, pattern)
    assert back == (related and related[::-1]), "comparing is not symmetrical"
    why = conflict(pattern, other)
    assert (why is None) == (conflict(other, pattern) is None)
    if why is None:
        return True
    if "'" in pattern.text + other.text:  # its examples cannot be told from what is around them
        return False
    examples = [m.groups() for m in _EXAMPLE.finditer(why.partition("only ")[0])]
    for method, host, path in examples:
        assert _matches(pattern, method, host, path), f"{pattern.text!r} does not match: {why}"
        assert _matches(other, method, host, path), f"{other.text!r} does not match: {why}"
    if "neither" in why:
        first, second = re.split(r", only ", why.partition(" only ")[2])
        for one, another, text in ((pattern, other, first), (other, pattern, second)):
            (example,) = _EXAMPLE.findall(text.rpartition(" matches ")[2])
            assert _matches(one, *example), f"{one.text!r} does not match: {why}"
            assert not _matches(another, *example), f"{another.text!r} matches: {why}"
    return False


def _table(patterns: list[Pattern]) -> Table[str]:
    table: Table[str] = Table()
    for pattern in patterns:
        table.add(pattern, pattern.text)
    return table


def _finds_the_most_specific(
    forwards: Table[str],
    backwards: Table[str],
    patterns: list[Pattern],
    request: tuple[str, str, str],
) -> None:
    matching = [pattern for pattern in patterns if _matches(pattern, *request)]
    found = forwards.find(*request)
    if found is None:
        assert not matching, f"{request} matches {matching[0].text!r}, and is not found"
        return
    winner = found.entry.pattern
    assert winner in matching, f"{winner.text!r} does not match {request}"
    again = backwards.find(*request)
    assert again is not None
    assert (again.entry.pattern, again.values, again.exact) == (winner, found.values, found.exact)
    assert len(found.values) == len(found.entry.names)
    for other in matching:
        if other.host == winner.host:
            related = relation(winner, other)
            assert related is not None
            assert other == winner or not related[0], f"{other.text!r} is more specific"
        else:
            assert winner.host, "a host takes precedence"


def _matches(pattern: Pattern, method: str, host: str, path: str) -> bool:
    if pattern.method and pattern.method != method and (pattern.method, method) != ("GET", "HEAD"):
        return False
    if pattern.host and pattern.host != host.lower():
        return False
    return (
        _path(pattern).fullmatch("".join("/" + _as_one(s) for s in path[1:].split("/"))) is not None
    )


def _as_one(segment: str) -> str:
    """Return a segment without percent-encoding, a slash in it as a character of its own."""
    return unquote(segment).replace("/", "\ue000")


def _path(pattern: Pattern) -> re.Pattern[str]:
    parts: list[str] = []
    for segment in pattern.segments:
        match segment.kind:
            case Kind.LITERAL:
                parts.append(re.escape(segment.text.replace("/", "\ue000")))
            case Kind.ONE:
                parts.append("[^/]+")
            case Kind.REST:
                parts.append(".*")
            case Kind.END:
                parts.append("")
    return re.compile("".join("/" + part for part in parts), re.DOTALL)
