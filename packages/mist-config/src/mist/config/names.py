"""Names from outside that mean a field: `DB__HOST` in a variable, `db.host` in an override."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from mist.config.node import Choice, Leaf, Node, Section, Table, fold, segment
from mist.config.prepare import choose_section
from mist.config.value import KeyPath, is_table

_DEEPEST = 50  # keys in a name; a type that contains itself has no end


class Naming(msgspec.Struct, frozen=True):
    """How keys are joined to a name.

    Args:
        separator: what stands between keys.
        key: the key of a section that a part of a name means; None for none.
        fresh: the key that is made of a name's last part, for a table that the user fills.
        spelling: the form in which keys of such a table are compared.
    """

    separator: str
    key: Callable[[Section, str], str | None]
    fresh: Callable[[str], str]
    spelling: Callable[[str], str]


def _dotted_key(section: Section, part: str) -> str | None:
    return part if part == section.tag_field else section.folded.get(fold(part))


VARIABLES = Naming("__", lambda section, part: section.segments.get(part), str.lower, segment)
DOTTED = Naming(".", _dotted_key, str, str)


def find(node: Node, name: str, tree: Any, naming: Naming) -> tuple[KeyPath, Node] | None:
    """What a name means: the path, and what may stand there; None for nothing.

    Args:
        node: where the name starts.
        name: the keys, joined.
        tree: the value at that node so far; its keys are preferred to new ones.
        naming: how they are joined.
    """
    if name.count(naming.separator) > _DEEPEST:
        return None
    match node:
        case Section():
            return _find_in_section(node, name, tree, naming)
        case Table():
            return _find_in_table(node, name, tree, naming)
        case Choice():
            return _find_in_choice(node, name, tree, naming)
        case _:
            return None


def _splits(name: str, separator: str) -> Iterator[tuple[str, str | None]]:
    """The name as a whole, then every way to take a first key off it."""
    yield name, None
    parts = name.split(separator)
    for cut in range(1, len(parts)):
        yield separator.join(parts[:cut]), separator.join(parts[cut:])


def _find_in_section(
    section: Section, name: str, tree: Any, naming: Naming
) -> tuple[KeyPath, Node] | None:
    for first, rest in _splits(name, naming.separator):
        key = naming.key(section, first)
        if key is None:
            continue
        field = section.fields.get(key)
        if field is None:
            return ((key,), section.tag) if section.tag and rest is None else None
        if rest is None:
            return (key,), field.node
        if found := find(field.node, rest, _at(tree, key), naming):
            return (key, *found[0]), found[1]
    return None


def _find_in_table(
    table: Table, name: str, tree: Any, naming: Naming
) -> tuple[KeyPath, Node] | None:
    first, _, rest = name.partition(naming.separator)
    if isinstance(table.value, Section | Choice) and rest:
        key = _key_in(tree, first, naming)
        found = find(table.value, rest, _at(tree, key), naming)
        return ((key, *found[0]), found[1]) if found else None
    return ((_key_in(tree, name, naming),), table.value) if name else None


def _key_in(tree: Any, part: str, naming: Naming) -> str:
    """The key of a table that the user fills: as it is spelled already, or a new one."""
    existing: Mapping[str, Any] = tree if is_table(tree) else {}
    spelled = naming.spelling(part)
    same = (key for key in existing if naming.spelling(key) == spelled)
    return next(same, None) or naming.fresh(part)


def _find_in_choice(
    choice: Choice, name: str, tree: Any, naming: Naming
) -> tuple[KeyPath, Node] | None:
    chosen = choose_section(choice, tree) if is_table(tree) else None
    for member in [chosen, *choice.members] if chosen else choice.members:
        if found := find(member, name, tree, naming):
            path, node = found
            is_tag = len(path) == 1 and isinstance(node, Leaf) and node.kind == "tag"
            return (path, choice.tag or node) if is_tag else found
    return None


def _at(tree: Any, key: str) -> Any:
    return tree.get(key) if is_table(tree) else None
