"""An object taken apart into a tree, as TOML would have it."""

from typing import Any

import msgspec

from mist.config.node import ANY, Choice, Items, Node, Section, Table, constructor
from mist.config.value import is_list, is_table


def plain(node: Node, value: Any) -> Any:
    """The tables, lists and single values that an object consists of.

    What is not of the node's type stays as it is.

    Args:
        node: what the value should be.
        value: the object, or a part of it.
    """
    match node:
        case Section() if isinstance(value, constructor(node)):
            return _table(node, value)
        case Table() if is_table(value):
            return {key: plain(node.value, each) for key, each in value.items()}
        case Items() if is_list(value):
            return [plain(node.at(index) or ANY, each) for index, each in enumerate(value)]
        case Choice():
            return plain(member, value) if (member := fitting(node, value)) else value
        case _:
            return value


def fitting(choice: Choice, value: Any) -> Node | None:
    """The member that an object is of, where it consists of parts."""
    for member in choice.members:
        match member:
            case Section() if isinstance(value, constructor(member)):
                return member
            case Table() if is_table(value):
                return member
            case Items() if is_list(value):
                return member
            case _:
                continue
    return None


def _table(section: Section, value: Any) -> dict[str, Any]:
    table: dict[str, Any] = {section.tag_field: section.tag_value} if section.tag_field else {}
    for key, field in section.fields.items():
        each = getattr(value, field.name, msgspec.UNSET)  # an attribute can be deleted
        if each is not msgspec.UNSET:
            table[key] = plain(field.node, each)
    return table
