"""What a type says about the configuration that it describes.

A type becomes a tree of nodes: a `Section` for each Struct or dataclass, and below it what each
field may hold. Everything else in this package walks that tree.
"""

import dataclasses
import datetime as dt
import decimal
import enum
import functools
import pathlib
import re
import types
import typing
import uuid
from collections import abc
from typing import Any, Literal, TypeGuard

import msgspec

from mist.config.quantity import MARK
from mist.config.secret import Secret, sounds_secret
from mist.config.value import Path

Kind = Literal[
    "any", "bool", "choice", "duration", "float", "int", "none", "path", "secret", "size", "tag",
    "text", "timedelta", "word",
]  # fmt: skip

_KINDS: dict[Any, Kind] = {
    Any: "any",
    object: "any",
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    None: "none",
    types.NoneType: "none",
    Secret: "secret",
    dt.timedelta: "timedelta",
    # What msgspec itself reads from text.
    dt.datetime: "word",
    dt.date: "word",
    dt.time: "word",
    uuid.UUID: "word",
    decimal.Decimal: "word",
    bytes: "word",
    bytearray: "word",
    pathlib.Path: "path",
    pathlib.PurePath: "path",
}
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_COLLECTIONS = (
    list, set, frozenset,
    abc.Collection, abc.Sequence, abc.MutableSequence, abc.Set, abc.MutableSet,
)  # fmt: skip
# What a node needs done before msgspec can take its value.
_PREPARED = frozenset({"any", "duration", "path", "secret", "size", "timedelta"})
_NUMERIC = frozenset({"bool", "duration", "float", "int", "none", "size", "timedelta"})
_LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")


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


def _tag(*sections: Section) -> Leaf:
    tags = tuple(section.tag_value for section in sections)
    return Leaf(type=Literal[tags], kind="tag", choices=tags, plain=True)


def fold(key: str) -> str:
    """A key with `_` for `-`: the two are one to a person who writes TOML."""
    return key.replace("-", "_")


def segment(key: str) -> str:
    """What a key is called in a variable: `maxRetries`, `max-retries` -> `MAX_RETRIES`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return re.sub(r"[^A-Z0-9]", "_", words.upper())


def schema(target: Any) -> Section:
    """The tree of a Struct or dataclass.

    Raises:
        TypeError: It is neither, or holds what has no form in a configuration; the text names
            the field.
    """
    if not _is_section(target):
        raise TypeError(f"{target!r} is no msgspec Struct and no dataclass")
    return _built(target)


@functools.lru_cache(maxsize=256)
def _built(target: Any) -> Section:
    return _Builder().section(target)


def leaves(root: Section) -> abc.Iterator[tuple[Path, Node]]:
    """Every field that is not itself a section, with its path; dicts and lists are not entered."""
    yield from _leaves(root, (), ())


def _leaves(
    section: Section, path: Path, inside: tuple[Section, ...]
) -> abc.Iterator[tuple[Path, Node]]:
    for field in section.fields.values():
        node, here = field.node, (*path, field.key)
        below = node.sections if isinstance(node, Choice) else [node]
        sections = [each for each in below if isinstance(each, Section)]
        for each in sections:
            if each not in (*inside, section):
                yield from _leaves(each, here, (*inside, section))
        if not sections:
            yield here, node


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


def conceals(node: Node, path: Path) -> bool:
    """Whether text in a place must not be shown.

    Text is concealed too where a table belongs: there may be secrets in it.
    """
    if node.secret or any(isinstance(part, Section) for part in (node, *parts(node))):
        return True
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    return sounds_secret(key) and _is_textual(node)


def _conceal(node: Node) -> None:
    if not isinstance(node, Section):
        node.secret = True
        for part in parts(node):
            _conceal(part)


def _is_section(target: Any) -> bool:
    origin: Any = typing.get_origin(target) or target
    return isinstance(origin, type) and (
        issubclass(origin, msgspec.Struct) or hasattr(origin, "__dataclass_fields__")
    )


class _Builder:
    """Builds the nodes of one tree; a class that is met again, even within itself, is one Section."""

    def __init__(self) -> None:
        self._sections: dict[Any, Section] = {}

    def section(self, target: Any) -> Section:
        if target in self._sections:
            return self._sections[target]
        origin = typing.get_origin(target) or target
        node = self._sections[target] = Section(type=target, fields={})
        is_struct = issubclass(origin, msgspec.Struct)
        if is_struct:
            config = origin.__struct_config__
            if config.array_like:
                raise TypeError(f"{node.name}: array_like=True leaves a Struct without keys")
            node.tag_field, node.tag_value = config.tag_field, config.tag
            node.closed = config.forbid_unknown_fields
        for name, key, hint, default in (_struct_fields if is_struct else _dataclass_fields)(
            target
        ):
            inner = self._field(hint, f"{node.name}.{name}")
            if sounds_secret(key) and _is_textual(inner):
                _conceal(inner)
            node.fields[key] = Field(name=name, key=key, node=inner, default=default)
        _check_names(node)
        _check_supported(target, node.name)
        return node

    def _field(self, hint: Any, where: str) -> Node:
        node = self._node(hint, where)
        _check_supported(hint, where)
        return node

    def _node(self, hint: Any, where: str) -> Node:
        inner, metas = _unwrapped(hint)
        limits = {
            name: value
            for meta in metas
            for name in _LIMITS
            if (value := getattr(meta, name)) is not None
        }
        extra = {key: value for meta in metas for key, value in (meta.extra or {}).items()}
        node = self._bare(hint, inner, extra, where)
        if not isinstance(node, Section):
            node.limits = limits
            if extra.get("secret") is True or any(part.secret for part in parts(node)):
                _conceal(node)
        return node

    def _bare(self, hint: Any, inner: Any, extra: dict[Any, Any], where: str) -> Node:
        """The node of an annotation, without what its constraints say."""
        if _is_section(inner):
            return self.section(inner)
        origin, args = typing.get_origin(inner) or inner, typing.get_args(inner)
        if origin is typing.Union or origin is types.UnionType:
            members = tuple(self._node(arg, where) for arg in args if arg is not msgspec.UnsetType)
            return Choice(type=hint, members=members, plain=all(m.plain for m in members))
        node = self._container(hint, origin, args, where) if isinstance(origin, type) else None
        return node or _leaf(hint, inner, extra, where)

    def _container(self, hint: Any, origin: type, args: Any, where: str) -> Node | None:
        if origin is tuple:
            return self._tuple(hint, args, where)
        if origin in _MAPPINGS:
            return self._table(hint, args or (Any, Any), where)
        if origin in _COLLECTIONS:
            item = self._node(args[0], where) if args else _any()
            return Items(type=hint, item=item, plain=item.plain)
        return None

    def _tuple(self, hint: Any, args: tuple[Any, ...], where: str) -> Items:
        if not args or args[-1] is ...:
            item = self._node(args[0], where) if args else _any()
            return Items(type=hint, item=item, plain=item.plain)
        positions = tuple(self._node(arg, where) for arg in args)
        plain = all(position.plain for position in positions)
        return Items(type=hint, item=None, positions=positions, plain=plain)

    def _table(self, hint: Any, args: tuple[Any, ...], where: str) -> Table:
        key, value = (self._node(arg, where) for arg in args)
        if not isinstance(key, Leaf) or not key.plain:
            raise TypeError(_unsupported(hint, where, "keys must be text or numbers"))
        return Table(type=hint, key=key, value=value, plain=value.plain)


def _leaf(hint: Any, inner: Any, extra: dict[Any, Any], where: str) -> Leaf:
    if typing.get_origin(inner) is Literal:
        return Leaf(type=hint, kind="choice", choices=typing.get_args(inner), plain=True)
    if isinstance(inner, type) and issubclass(inner, enum.Enum):
        values = tuple(member.value for member in inner)
        return Leaf(type=hint, kind="choice", choices=values, plain=True)
    kind = extra.get(MARK) or _KINDS.get(inner)
    if kind is None:
        raise TypeError(_unsupported(hint, where))
    return Leaf(type=hint, kind=kind, plain=kind not in _PREPARED, secret=kind == "secret")


def _any() -> Leaf:
    return Leaf(type=Any, kind="any")


ANY = _any()  # for what no type says anything about


def _unwrapped(hint: Any) -> tuple[Any, list[msgspec.Meta]]:
    """A hint without its aliases, and the constraints that stood around it."""
    metas: list[msgspec.Meta] = []
    while True:
        if hasattr(hint, "__metadata__"):
            metas = [each for each in hint.__metadata__ if isinstance(each, msgspec.Meta)] + metas
            hint = hint.__origin__
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif hasattr(hint, "__value__"):
            hint = hint.__value__
        elif typing.get_origin(hint) is typing.Final:
            (hint,) = typing.get_args(hint)
        else:
            return hint, metas


_FieldParts = tuple[str, str, Any, typing.Callable[[], Any] | None]


def _struct_fields(target: Any) -> abc.Iterator[_FieldParts]:
    try:
        infos = msgspec.structs.fields(target)
    except NameError as exc:
        raise TypeError(_unresolved(target, exc)) from exc
    for info in infos:
        default = _default(info.default, info.default_factory, msgspec.NODEFAULT)
        yield info.name, info.encode_name, info.type, default


def _dataclass_fields(target: Any) -> abc.Iterator[_FieldParts]:
    if typing.get_origin(target):
        raise TypeError(f"{target}: only a Struct can be generic here, not a dataclass")
    try:
        hints = typing.get_type_hints(target, include_extras=True)
    except NameError as exc:
        raise TypeError(_unresolved(target, exc)) from exc
    for field in dataclasses.fields(target):
        if field.init:
            default = _default(field.default, field.default_factory, dataclasses.MISSING)
            yield field.name, field.name, hints[field.name], default


def _default(default: Any, factory: Any, missing: Any) -> typing.Callable[[], Any] | None:
    if factory is not missing:
        return typing.cast("typing.Callable[[], Any]", factory)
    return None if default is missing else lambda: default


def _is_textual(node: Node) -> bool:
    """Whether text fits, so that the node can hold what its name says is secret."""
    match node:
        case Leaf():
            return node.kind not in _NUMERIC
        case Table():
            return _is_textual(node.value)
        case _:
            return any(map(_is_textual, parts(node)))


def _check_names(section: Section) -> None:
    """Refuse two fields that one key in the file, or one variable, would mean."""
    for form in (fold, segment):
        seen: dict[str, str] = {}
        for key in section.fields:
            other = seen.setdefault(form(key), key)
            if other != key:
                raise TypeError(
                    f"{section.name}: the keys {other!r} and {key!r} are too much alike"
                )


def _check_supported(hint: Any, where: str) -> None:
    """Let msgspec refuse what it cannot tell apart or has no form for."""
    try:
        msgspec.json.Decoder(hint)
    except NameError as exc:
        raise TypeError(_unresolved(hint, exc)) from exc
    except TypeError as exc:
        raise TypeError(_unsupported(hint, where, str(exc))) from exc


def _unsupported(hint: Any, where: str, why: str = "") -> str:
    name = hint.__qualname__ if _is_class(hint) else str(hint)
    return f"{where}: {name} is not supported in a configuration" + (f": {why}" if why else "")


def _is_class(hint: Any) -> TypeGuard[type]:
    return isinstance(hint, type) and not typing.get_args(hint)


def _unresolved(target: Any, exc: NameError) -> str:
    """Which field's annotation has the name that cannot be found."""
    hints: dict[str, Any] = vars(target).get("__annotations__", {}) if _is_class(target) else {}
    name = exc.name or ""
    field = next((f".{field}" for field, hint in hints.items() if name in str(hint)), "")
    owner = getattr(target, "__qualname__", target)
    return f"{owner}{field}: the annotation cannot be resolved: {exc}"
