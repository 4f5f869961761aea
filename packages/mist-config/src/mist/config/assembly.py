"""A configuration, put together from a tree and from what is laid over it."""

from typing import Any, cast

from mist.config.diagnose import convert
from mist.config.entry import Entry
from mist.config.expected import expected
from mist.config.node import ANY, Choice, Leaf, Node, Section, conceals
from mist.config.origin import Origin
from mist.config.prepare import WRONG, choose_section, copied, prepare
from mist.config.problem import Problem
from mist.config.provenance import Provenance
from mist.config.suggest import GUESSES, nearest
from mist.config.text import read_text
from mist.config.value import KeyPath, at, dotted, is_table, shown


class Assembly:
    """Collects values, and all that is wrong with them.

    Args:
        provenance: notes where values come from.

    Attributes:
        problems: what is wrong.
        strays: keys that mean nothing, which may be wrong.
    """

    def __init__(self, provenance: Provenance) -> None:
        self.problems: list[Problem] = []
        self.strays: list[Problem] = []
        self._provenance = provenance
        self._origin: Origin | None = None  # of what is being prepared; None for the tree

    @property
    def tree(self) -> dict[str, Any]:
        """The values so far."""
        return self._provenance.tree

    def start(self, tree: Any, base: str | None = None) -> None:
        """Begin with a tree, as TOML has it.

        Args:
            tree: stays as it is.
            base: the directory that paths in it are relative to.
        """
        self._provenance.tree = prepare(self._provenance.root, tree, (), self, base)

    def lay(self, entry: Entry) -> None:
        """Lay a value over what there is."""
        self._origin = entry.origin
        try:
            value = entry.value
            is_text = isinstance(value, str)
            value = read_text(entry.node, value) if is_text else copied(value)
            value = self._with_tag(entry, value)
            value = prepare(entry.node, value, entry.path, self, None)
        except ValueError as exc:
            self.wrong(entry.node, entry.path, entry.value, str(exc))
            value = WRONG
        self._put(entry.node, entry.path, value, entry.origin)
        self._origin = None

    def finish(self) -> Any:
        """The configuration.

        Raises:
            ConfigError: There are problems, with every one.
        """
        return convert(self._provenance, self.problems)

    def wrong(self, node: Node, path: KeyPath, value: object, why: str) -> None:
        """Note a value that cannot be read."""
        wanted, got = expected(node), shown(value, secret=conceals(node, path, value))
        message = f"expected {wanted}, got {got}" + (f": {why}" if why else "")
        self._note(self.problems, path, message, expected=wanted, got=got)

    def unknown(self, section: Section, path: KeyPath) -> None:
        """Note a key that means nothing."""
        few = len(self.strays) + len(self.problems) < GUESSES
        suggestion = nearest(str(path[-1]), section.fields) if few else ""
        message = "unknown key" + (f"; did you mean {suggestion}?" if suggestion else "")
        target = self.problems if section.closed else self.strays
        self._note(target, path, message, suggestion=suggestion)

    def twice(self, path: KeyPath, other: str) -> None:
        """Note a key that is there in both spellings."""
        origin = self._provenance.place((*path[:-1], other))
        where = f" ({origin})" if origin.line else ""
        self._note(self.problems, path, f"the same key as {other}{where}: remove one of the two")

    def _note(self, target: list[Problem], path: KeyPath, message: str, **details: str) -> None:
        origin = self._origin or self._provenance.place(path)
        target.append(Problem(path=dotted(path), message=message, origin=origin, **details))

    def _put(self, node: Node, path: KeyPath, value: Any, origin: Origin) -> None:
        """Lay a value at a path; the keys of a section one by one."""
        section = _section(node, value)
        if section:
            self._table(path)
            for key, each in value.items():
                below = section.fields.get(key)
                self._put(below.node if below else ANY, (*path, key), each, origin)
            return
        table = self._table(path[:-1])
        if table is None:
            return  # what is there is wrong itself
        if value is WRONG and not isinstance(node, Leaf) and is_table(table.get(path[-1])):
            return  # what is there is still to be judged
        table[path[-1]] = value
        self._provenance.lay(path, origin, whole=not isinstance(node, Leaf))

    def _table(self, path: KeyPath) -> dict[Any, Any] | None:
        """The table at a path, made where there is none; None where something else stands."""
        table: dict[Any, Any] = self.tree
        for key in path:
            if table.get(key) is None:
                table[key] = {}
            below: Any = table[key]
            if not is_table(below):
                return None
            table = cast("dict[Any, Any]", below)
        return table

    def _with_tag(self, entry: Entry, value: Any) -> Any:
        """A table for a union with the tag that is known from elsewhere, if it has none itself."""
        if isinstance(entry.node, Choice) and is_table(value) and len(entry.node.sections) > 1:
            there = at(self.tree, entry.path)
            tag = str(entry.node.sections[0].tag_field)
            if is_table(there) and tag in there:
                return {tag: there[tag], **value}
        return value


def _section(node: Node, value: Any) -> Section | None:
    """The section whose keys a value has; None where it is anything else."""
    if not is_table(value):
        return None
    if isinstance(node, Choice):
        return choose_section(node, value)
    return node if isinstance(node, Section) else None
