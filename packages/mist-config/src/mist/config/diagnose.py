"""Everything that is wrong with a tree, where msgspec stops at the first.

A value is judged by msgspec itself, the innermost first, so that this agrees with the conversion
that failed; only the walk is ours.
"""

from collections.abc import Iterable, Iterator
from types import GenericAlias
from typing import Any, cast

import msgspec

from mist.config.environment import variable_name
from mist.config.expected import expected
from mist.config.node import Choice, Field, Items, Leaf, Node, Section, Table, conceals
from mist.config.prepare import WRONG, choose_section
from mist.config.problem import ConfigError, Problem
from mist.config.provenance import Provenance
from mist.config.suggest import nearest
from mist.config.value import Path, dotted, is_list, is_table, shown


def convert(
    root: Section, tree: Any, provenance: Provenance, problems: Iterable[Problem] = ()
) -> Any:
    """The object that a tree describes.

    Args:
        root: what the tree should be.
        tree: as `prepare` leaves it.
        provenance: tells where its values come from.
        problems: what is known to be wrong already.

    Raises:
        ConfigError: Something is wrong; it has every problem.
    """
    known, reason = list(problems), ""
    if not known:
        try:
            return msgspec.convert(tree, root.type, str_keys=True)
        except msgspec.ValidationError as exc:
            reason = str(exc)
    try:
        known += _Diagnosis(provenance).of(root, tree, ())
    except RecursionError:
        reason = "nested too deeply"
    # A type may be stricter as a whole than in its parts; then msgspec's own words have to do.
    raise ConfigError(known or [Problem(path="", message=reason, origin=provenance.place(()))])


class _Diagnosis:
    def __init__(self, provenance: Provenance) -> None:
        self._provenance = provenance

    def of(self, node: Node, value: Any, path: Path) -> Iterator[Problem]:
        """The problems of a value and of all that is in it."""
        if value is WRONG:
            return
        match node:
            case Section() if is_table(value):
                inner = self._of_section(node, value, path)
            case Table() if is_table(value):
                inner = self._of_table(node, value, path)
            case Items() if is_list(value):
                inner = self._of_items(node, value, path)
            case Choice() if (member := _chosen(node, value)) is not None:
                yield from self.of(member, value, path)
                return
            case Choice() if is_table(value) and node.tag:
                yield self._wrong_tag(node, value, path)
                return
            case _:
                inner = iter(())
        yield from self._then_whole(inner, node, value, path)

    def _then_whole(
        self, inner: Iterable[Problem], node: Node, value: Any, path: Path
    ) -> Iterator[Problem]:
        """The problems inside a value; where there are none, that of the value as a whole."""
        sound = not _holds_wrong(value)
        for problem in inner:
            sound = False
            yield problem
        if not sound:
            return
        try:
            msgspec.convert(value, node.type, str_keys=True)
        except msgspec.ValidationError as exc:
            if exc.__cause__ is not None:  # raised by the program's own `__post_init__`
                yield self._problem(path, str(exc.__cause__) or type(exc.__cause__).__name__)
            elif isinstance(node, Section) and is_table(value):
                yield self._problem(path, str(exc))
            else:
                yield self._mismatch(node, value, path)

    def _of_section(self, section: Section, value: Any, path: Path) -> Iterator[Problem]:
        for key, field in section.fields.items():
            if key in value:
                yield from self.of(field.node, value[key], (*path, key))
            elif field.default is None:
                yield self._missing(field, (*path, key))
        tag = section.tag
        if tag and value.get(section.tag_field, section.tag_value) != section.tag_value:
            yield self._mismatch(tag, value[section.tag_field], (*path, str(section.tag_field)))

    def _of_table(self, table: Table, value: Any, path: Path) -> Iterator[Problem]:
        for key, each in value.items():
            yield from self.of(table.value, each, (*path, key))
            try:
                msgspec.convert(
                    {key: None}, GenericAlias(dict, (table.key.type, None)), str_keys=True
                )
            except msgspec.ValidationError:
                wanted = expected(table.key)
                yield self._problem(
                    (*path, key), f"expected {wanted} as key", expected=wanted, got=shown(key)
                )

    def _of_items(self, items: Items, value: Any, path: Path) -> Iterator[Problem]:
        for index, each in enumerate(value):
            if (item := items.at(index)) is not None:
                yield from self.of(item, each, (*path, index))

    def _wrong_tag(self, choice: Choice, value: Any, path: Path) -> Problem:
        tag, field = cast("Leaf", choice.tag), str(choice.sections[0].tag_field)
        if field in value:
            return self._mismatch(tag, value[field], (*path, field))
        return self._missing(Field(name=field, key=field, node=tag, default=None), (*path, field))

    def _missing(self, field: Field, path: Path) -> Problem:
        wanted = expected(field.node)
        remedy = f"; set {field.key}"
        if len(path) > 1:
            remedy += f" in [{dotted(path[:-1])}]"
        prefix = self._provenance.prefix
        if prefix is not None and all(isinstance(step, str) for step in path):
            remedy += f" or {variable_name(prefix, path)}"
        return self._problem(path, f"missing, expected {wanted}{remedy}", expected=wanted)

    def _mismatch(self, node: Node, value: Any, path: Path) -> Problem:
        wanted, got = expected(node), shown(value, secret=conceals(node, path))
        suggestion = ""
        if isinstance(node, Leaf) and isinstance(value, str) and not conceals(node, path):
            choices = [choice for choice in node.choices if isinstance(choice, str)]
            suggestion = nearest(value, choices)
        message = f"expected {wanted}, got {got}"
        message += f"; did you mean {shown(suggestion)}?" if suggestion else ""
        return self._problem(path, message, expected=wanted, got=got, suggestion=suggestion)

    def _problem(self, path: Path, message: str, **details: str) -> Problem:
        origin = self._provenance.origin(path)
        if origin.kind == "default":
            origin = self._provenance.place(path)
        return Problem(path=dotted(path), message=message, origin=origin, **details)


def _chosen(choice: Choice, value: Any) -> Node | None:
    """The member that a table or a list is for."""
    if is_table(value):
        tables = (member for member in choice.members if isinstance(member, Table))
        return choose_section(choice, value) or next(tables, None)
    if is_list(value):
        return next((member for member in choice.members if isinstance(member, Items)), None)
    return None


def _holds_wrong(value: Any) -> bool:
    """Whether a value has, directly in it, one whose problem is known."""
    if is_table(value):
        return any(each is WRONG for each in value.values())
    return is_list(value) and any(each is WRONG for each in value)
