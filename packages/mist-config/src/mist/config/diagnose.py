"""Everything that is wrong with a tree, where msgspec stops at the first.

A value is judged by msgspec itself, the innermost first, so that this agrees with the conversion
that failed; only the walk is ours.
"""

from collections.abc import Iterable
from types import GenericAlias
from typing import Any, Literal

import msgspec

from mist.config.environment import variable_name
from mist.config.expected import expected
from mist.config.node import ANY, Choice, Items, Leaf, Node, Section, Table, conceals
from mist.config.prepare import WRONG, choose_section
from mist.config.problem import ConfigError, Problem
from mist.config.provenance import Provenance
from mist.config.suggest import GUESSES, nearest
from mist.config.value import KeyPath, dotted, is_list, is_table, shown


def convert(provenance: Provenance, problems: Iterable[Problem] = ()) -> Any:
    """The object that a configuration's tree describes.

    Args:
        provenance: has the tree, as `prepare` leaves it, and tells where its values come from.
        problems: what is known to be wrong already.

    Raises:
        ConfigError: Something is wrong; it has every problem.
    """
    known, reason = list(problems), ""
    root, tree = provenance.root, provenance.tree
    if not known:
        try:
            return msgspec.convert(tree, root.type, str_keys=True)
        except msgspec.ValidationError as exc:
            reason = str(exc)
    diagnosis = _Diagnosis(provenance)
    diagnosis.check(root, tree, ())
    known += diagnosis.problems
    # A type may be stricter as a whole than in its parts; then msgspec's own words have to do.
    raise ConfigError(known or [Problem(path="", message=reason, origin=provenance.place(()))])


class _Diagnosis:
    """Collects problems; each method tells whether it found its value sound."""

    def __init__(self, provenance: Provenance) -> None:
        self.problems: list[Problem] = []
        self._provenance = provenance

    def check(self, node: Node, value: Any, path: KeyPath) -> bool:
        """A value and all that is in it; the value as a whole only where its parts are sound."""
        if value is WRONG:
            return False
        match node:
            case Choice() if (member := _chosen(node, value)) is not None:
                return self.check(member, value, path)
            case Choice() if is_table(value) and node.tag:
                return self._wrong_tag(node, node.tag, value, path)
            case Section() if is_table(value):
                sound = self._check_section(node, value, path)
            case Table() if is_table(value):
                sound = self._check_table(node, value, path)
            case Items() if is_list(value):
                checked = [
                    self.check(node.at(index) or ANY, each, (*path, index))
                    for index, each in enumerate(value)
                ]
                sound = all(checked)
            case _:
                sound = True
        return sound and self._check_whole(node, value, path)

    def _check_whole(self, node: Node, value: Any, path: KeyPath) -> bool:
        try:
            msgspec.convert(value, node.type, str_keys=True)
        except msgspec.ValidationError as exc:
            if exc.__cause__ is not None:  # raised by the program's own `__post_init__`
                return self._note(path, str(exc.__cause__) or type(exc.__cause__).__name__)
            if isinstance(node, Section) and is_table(value):
                return self._note(path, str(exc))
            return self._mismatch(node, value, path)
        return True

    def _check_section(self, section: Section, value: Any, path: KeyPath) -> bool:
        sound = True
        for key, field in section.fields.items():
            if key in value:
                sound &= self.check(field.node, value[key], (*path, key))
            elif field.default is None:
                sound = self._missing(field.node, (*path, key))
        tag, field_name = section.tag, str(section.tag_field)
        if tag and value.get(field_name, section.tag_value) != section.tag_value:
            sound = self._mismatch(tag, value[field_name], (*path, field_name))
        return sound

    def _check_table(self, table: Table, value: Any, path: KeyPath) -> bool:
        sound = True
        for key, each in value.items():
            sound &= self.check(table.value, each, (*path, key))
            try:
                one = GenericAlias(dict, (table.key.type, None))
                msgspec.convert({key: None}, one, str_keys=True)
            except msgspec.ValidationError:
                wanted, got = expected(table.key), shown(key)
                message = f"expected {wanted} as key"
                sound = self._note((*path, key), message, expected=wanted, got=got)
        return sound

    def _wrong_tag(self, choice: Choice, tag: Leaf, value: Any, path: KeyPath) -> bool:
        field = str(choice.sections[0].tag_field)
        if field in value:
            return self._mismatch(tag, value[field], (*path, field))
        return self._missing(tag, (*path, field))

    def _missing(self, node: Node, path: KeyPath) -> bool:
        wanted = expected(node)
        remedy = f"set {dotted(path[-1:])}"
        if len(path) > 1:
            remedy += f" in [{dotted(path[:-1])}]"
        prefix = self._provenance.prefix
        if prefix is not None and all(isinstance(step, str) for step in path):
            remedy += f" or {variable_name(prefix, path)}"
        return self._note(path, f"missing, expected {wanted}; {remedy}", expected=wanted)

    def _mismatch(self, node: Node, value: Any, path: KeyPath) -> bool:
        wanted, secret = expected(node), conceals(node, path, value)
        got, suggestion = shown(value, secret=secret), ""
        few = len(self.problems) < GUESSES
        if few and isinstance(node, Leaf) and isinstance(value, str) and not secret:
            choices = [choice for choice in node.choices if isinstance(choice, str)]
            suggestion = nearest(value, choices)
        message = f"expected {wanted}, got {got}"
        message += f"; did you mean {shown(suggestion)}?" if suggestion else ""
        return self._note(path, message, expected=wanted, got=got, suggestion=suggestion)

    def _note(self, path: KeyPath, message: str, **details: str) -> Literal[False]:
        origin = self._provenance.origin(path)
        if origin.kind == "default":
            origin = self._provenance.place(path)
        problem = Problem(path=dotted(path), message=message, origin=origin, **details)
        self.problems.append(problem)
        return False


def _chosen(choice: Choice, value: Any) -> Node | None:
    """The member that a table or a list is for."""
    if is_table(value):
        tables = (member for member in choice.members if isinstance(member, Table))
        return choose_section(choice, value) or next(tables, None)
    if is_list(value):
        return next((member for member in choice.members if isinstance(member, Items)), None)
    return None
