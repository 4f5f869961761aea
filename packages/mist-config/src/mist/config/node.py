"""What each place of a configuration may hold: the tree that a type becomes.

A `Section` stands for each Struct or dataclass, and below it is what each field may hold. `schema`
builds the tree; everything else in this package walks it.
"""

import functools
import re
import typing
from collections import abc
from typing import Any, Literal

import msgspec

from mist.config.secret import counts_tokens, sounds_secret
from mist.config.value import KeyPath

Kind = Literal[
    "any", "bool", "choice", "duration", "float", "int", "none", "path", "secret", "size", "tag",
    "text", "timedelta", "word",
]  # fmt: skip

_NUMERIC = frozenset({"bool", "duration", "float", "int", "none", "size", "timedelta"})


class Node(msgspec.Struct, kw_only=True, eq=False):
    """What one place may hold.

    Args:
        type: the annotation, with its constraints, as msgspec takes it.
        limits: the constraints, by their names in `msgspec.Meta`.
        secret: whether values are masked wherever they would be shown.
        plain: whether msgspec can take values as TOML has them.
    """

    type: Any
    limits: dict[str, Any] = {}
    secret: bool = False
    plain: bool = False


class Leaf(Node):
    """A single value; for `choice` and `tag`, one of `choices`."""

    kind: Kind
    choices: tuple[str | int | bool | None, ...] = ()


class Items(Node):
    """A list, set or tuple: all items alike, or each of `positions` its own."""

    item: Node | None
    positions: tuple[Node, ...] = ()

    def at(self, index: int) -> Node | None:
        """What stands at an index; None where nothing may."""
        if self.item is not None:
            return self.item
        return self.positions[index] if index < len(self.positions) else None


class Table(Node):
    """A dict: keys that the user chooses."""

    key: Node
    value: Node


class Choice(Node):
    """A union; at most one member takes lists, and either sections or one dict take tables."""

    members: tuple[Node, ...]

    @property
    def sections(self) -> list["Section"]:
        """The members that are Structs or dataclasses."""
        return [member for member in self.members if isinstance(member, Section)]

    @property
    def tag(self) -> Leaf | None:
        """What chooses among several sections."""
        sections = self.sections
        return _tag(*sections) if len(sections) > 1 else None


class Field(msgspec.Struct, kw_only=True, eq=False):
    """One field of a Section.

    Args:
        name: the attribute in Python.
        key: the key in TOML.
        node: what it may hold.
        default: its value where nothing is set, made anew; None where it is required.
    """

    name: str
    key: str
    node: Node
    default: typing.Callable[[], Any] | None


class Section(Node, dict=True):
    """A Struct or dataclass: keys that the program chooses."""

    fields: dict[str, Field]
    tag_field: str | None = None
    tag_value: str | int | None = None
    closed: bool = False

    @property
    def name(self) -> str:
        """What the class is called."""
        return str(getattr(self.type, "__qualname__", self.type))

    @property
    def tag(self) -> Leaf | None:
        """What tells the class from others."""
        return _tag(self) if self.tag_field else None

    @functools.cached_property
    def folded(self) -> dict[str, str]:
        """Keys by their folded form; see `fold`."""
        return {fold(key): key for key in self.fields}

    @functools.cached_property
    def segments(self) -> dict[str, str]:
        """Keys by what they are called in a variable."""
        found = {segment(key): key for key in self.fields}
        if self.tag_field:
            found.setdefault(segment(self.tag_field), self.tag_field)
        return found

    @functools.cached_property
    def variables(self) -> dict[str, tuple[KeyPath, Node]]:
        """Fields by their variables, without those in unions and dicts: these depend on values."""
        return {
            "__".join(map(segment, map(str, path))): (path, fields[-1].node)
            for path, fields in leaves(self)
            if not any(isinstance(field.node, Choice) for field in fields[:-1])
        }


def _tag(*sections: Section) -> Leaf:
    tags = tuple(section.tag_value for section in sections)
    return Leaf(type=Literal[tags], kind="tag", choices=tags, plain=True)


def any_value() -> Leaf:
    """What no type says anything about."""
    return Leaf(type=Any, kind="any")


ANY = any_value()


def fold(key: str) -> str:
    """A key with `_` for `-`: the two are one to a person who writes TOML."""
    return key.replace("-", "_")


def segment(key: str) -> str:
    """What a key is called in a variable: `maxRetries`, `max-retries` -> `MAX_RETRIES`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return re.sub(r"[^A-Z0-9]", "_", words.upper())


def leaves(root: Section) -> abc.Iterator[tuple[KeyPath, tuple[Field, ...]]]:
    """Every field that is not itself a section: its path, and the fields that lead to it.

    Dicts and lists are not entered, nor is a section within itself.
    """
    yield from _leaves(root, (), ())


def _leaves(
    section: Section, above: tuple[Field, ...], inside: tuple[Section, ...]
) -> abc.Iterator[tuple[KeyPath, tuple[Field, ...]]]:
    for field in section.fields.values():
        fields, node = (*above, field), field.node
        members = node.members if isinstance(node, Choice) else (node,)
        sections = [each for each in members if isinstance(each, Section)]
        for each in sections:
            if each not in (*inside, section):
                yield from _leaves(each, fields, (*inside, section))
        if not sections:
            yield tuple(each.key for each in fields), fields


def constructor(section: Section) -> type:
    """The class itself, without what a generic one is applied to."""
    return typing.cast("type", typing.get_origin(section.type) or section.type)


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes that a list, a dict or a union is made of; the fields of a section are its own."""
    match node:
        case Items():
            return (node.item,) if node.item else node.positions
        case Table():
            return (node.key, node.value)
        case Choice():
            return node.members
        case _:
            return ()


def conceals(node: Node, path: KeyPath, value: object) -> bool:
    """Whether a value must not be shown.

    Text is concealed too where a table belongs: it may be one with secrets in it. And where a
    number belongs whose name is that of a secret, unless it counts the tokens of a text.
    """
    if node.secret:
        return True
    if isinstance(value, str) and any(isinstance(part, Section) for part in (node, *parts(node))):
        return True
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if not sounds_secret(key):
        return False
    return is_textual(node) or (isinstance(value, str) and not counts_tokens(key))


def is_textual(node: Node) -> bool:
    """Whether text fits, so that the node can hold what its name says is secret."""
    match node:
        case Leaf():
            return node.kind not in _NUMERIC
        case Table():
            return is_textual(node.value)
        case _:
            return any(map(is_textual, parts(node)))
