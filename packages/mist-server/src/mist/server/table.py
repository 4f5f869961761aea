"""Which of many patterns a request belongs to."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

from mist.errors import Code
from mist.server.errors import PatternError
from mist.server.pattern import Kind, Pattern, Segment, conflict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A pattern, and what is registered for it."""

    pattern: Pattern
    names: tuple[str, ...]
    target: T


@dataclass(slots=True)  # not frozen, which costs as much as the search
class Match(Generic[T]):
    """An entry that a request belongs to.

    Attributes:
        entry: The entry.
        values: What its wildcards stand for, without percent-encoding.
        exact: False where a wildcard for the rest of the path stands for more than its end.
    """

    entry: Entry[T]
    values: tuple[str, ...]
    exact: bool = True


class _Node(Generic[T]):
    """A place in the tree of paths, after some segments."""

    __slots__ = ("end", "entry", "literals", "one", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.one: _Node[T] | None = None
        self.rest: Entry[T] | None = None
        self.end: Entry[T] | None = None
        self.entry: Entry[T] | None = None

    def add(self, segments: tuple[Segment, ...], entry: Entry[T]) -> None:
        node = self
        for segment in segments:
            match segment.kind:
                case Kind.REST:
                    node.rest = entry
                    return
                case Kind.END:
                    node.end = entry
                    return
                case Kind.LITERAL:
                    node = node.literals.setdefault(segment.text, _Node())
                case Kind.ONE:
                    node.one = node.one or _Node()
                    node = node.one
        node.entry = entry

    def find(self, parts: list[str], at: int, values: tuple[str, ...]) -> Match[T] | None:
        """Find the most specific match: a literal is before a wildcard, one before the rest.

        Each node is visited at most once, so that no path takes longer than the tree is large.
        """
        if at == len(parts):
            return None if self.entry is None else Match(self.entry, values)
        part = parts[at]
        if not part and at == len(parts) - 1:
            entry = self.end or self.rest
            if entry is None:
                return None
            return Match(entry, (*values, "") if len(entry.names) > len(values) else values)
        text = unquote(part) if "%" in part else part
        found: Match[T] | None = None
        if (node := self.literals.get(text)) is not None:
            found = node.find(parts, at + 1, values)
        if found is None and self.one is not None:
            found = self.one.find(parts, at + 1, (*values, text))
        if found is None and self.rest is not None:
            if len(self.rest.names) > len(values):
                values = (*values, unquote("/".join(parts[at:])))
            found = Match(self.rest, values, exact=False)
        return found


class Table(Generic[T]):
    """Patterns, none of which conflicts with another, in a tree: host, method, path."""

    def __init__(self) -> None:
        self._entries: list[Entry[T]] = []
        self._trees: dict[str, dict[str, _Node[T]]] = {}

    @property
    def knows_hosts(self) -> bool:
        """Whether any pattern has a host, so that a request's host matters."""
        return any(self._trees)

    def add(self, pattern: Pattern, target: T) -> None:
        """Register a pattern.

        Raises:
            PatternError: Code `conflict`; it conflicts with one that is registered.
        """
        for entry in self._entries:
            why = conflict(pattern, entry.pattern)
            if why is not None:
                raise PatternError(
                    Code.CONFLICT,
                    f"pattern {pattern.text!r} conflicts with {entry.pattern.text!r}: {why}",
                )
        entry = Entry(pattern, pattern.names, target)
        self._entries.append(entry)
        methods = self._trees.setdefault(pattern.host, {})
        methods.setdefault(pattern.method, _Node()).add(pattern.segments, entry)

    def find(self, method: str, host: str, path: str) -> Match[T] | None:
        """Return the most specific match of a request.

        Args:
            method: The method; what is registered for GET is for HEAD, too.
            host: The host, in lower case.
            path: The path as it was sent, with its percent-encoding.
        """
        parts = path[1:].split("/")
        for name in (host, "") if host else ("",):
            methods = self._trees.get(name)
            if methods is None:
                continue
            for candidate in (method, "GET", "") if method == "HEAD" else (method, ""):
                tree = methods.get(candidate)
                if tree is not None and (found := tree.find(parts, 0, ())) is not None:
                    return found
        return None

    def methods(self, host: str, path: str) -> set[str]:
        """Return the methods for which a path is registered, those for any method aside."""
        parts = path[1:].split("/")
        found = {
            method
            for name in {host, ""}
            for method, tree in self._trees.get(name, {}).items()
            if method and tree.find(parts, 0, ()) is not None
        }
        return found | {"HEAD"} if "GET" in found else found
