"""The tree of nodes that a type becomes."""

import dataclasses
import datetime as dt
import decimal
import enum
import functools
import types
import typing
import uuid
from collections import abc
from typing import Any, Literal, TypeGuard

import msgspec

from mist.config.node import (
    Choice,
    Field,
    Items,
    Kind,
    Leaf,
    Node,
    Section,
    Table,
    any_value,
    fold,
    is_textual,
    leaves,
    parts,
    segment,
)
from mist.config.problem import ConfigTypeError
from mist.config.quantity import MARK
from mist.config.secret import Secret, sounds_secret
from mist.config.value import dotted

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
}
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_COLLECTIONS = (
    list, set, frozenset,
    abc.Collection, abc.Sequence, abc.MutableSequence, abc.Set, abc.MutableSet,
)  # fmt: skip
# What needs something done before msgspec can take it.
_PREPARED = frozenset({"any", "duration", "path", "secret", "size", "timedelta"})
_LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")


def schema(target: Any) -> Section:
    """The tree of a Struct or dataclass.

    Raises:
        ConfigTypeError: It is neither, or holds what has no form in a configuration; the text names
            the field.
    """
    if not _is_section(target):
        raise ConfigTypeError(f"{target!r} is no msgspec Struct and no dataclass")
    return _built(target)


@functools.lru_cache(maxsize=256)
def _built(target: Any) -> Section:
    root = _Builder().section(target)
    _check_variables(root)
    return root


def _is_section(target: Any) -> bool:
    origin: Any = typing.get_origin(target) or target
    described = hasattr(origin, "__struct_config__") or hasattr(origin, "__dataclass_fields__")
    return described and isinstance(origin, type)


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
                raise ConfigTypeError(f"{node.name}: array_like=True leaves a Struct without keys")
            node.tag_field, node.tag_value = config.tag_field, config.tag
            node.closed = config.forbid_unknown_fields
        for name, key, hint, default in (_struct_fields if is_struct else _dataclass_fields)(
            target
        ):
            inner = self._field(hint, f"{node.name}.{name}")
            if sounds_secret(key) and is_textual(inner):
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
            return self._table(hint, args or (str, Any), where)
        if origin in _COLLECTIONS:
            item = self._node(args[0], where) if args else any_value()
            return Items(type=hint, item=item, plain=item.plain)
        return None

    def _tuple(self, hint: Any, args: tuple[Any, ...], where: str) -> Items:
        if not args or args[-1] is ...:
            item = self._node(args[0], where) if args else any_value()
            return Items(type=hint, item=item, plain=item.plain)
        positions = tuple(self._node(arg, where) for arg in args)
        plain = all(position.plain for position in positions)
        return Items(type=hint, item=None, positions=positions, plain=plain)

    def _table(self, hint: Any, args: tuple[Any, ...], where: str) -> Table:
        key, value = (self._node(arg, where) for arg in args)
        if not isinstance(key, Leaf) or not (key.plain or key.kind == "any"):
            raise ConfigTypeError(_unsupported(hint, where, "keys must be text or numbers"))
        return Table(type=hint, key=key, value=value, plain=value.plain)


def _leaf(hint: Any, inner: Any, extra: dict[Any, Any], where: str) -> Leaf:
    if typing.get_origin(inner) is Literal:
        return Leaf(type=hint, kind="choice", choices=typing.get_args(inner), plain=True)
    if isinstance(inner, type) and issubclass(inner, enum.Enum):
        values = tuple(member.value for member in inner)
        return Leaf(type=hint, kind="choice", choices=values, plain=True)
    kind = extra.get(MARK) or _KINDS.get(inner) or _path_kind(inner)
    if kind is None:
        raise ConfigTypeError(_unsupported(hint, where))
    return Leaf(type=hint, kind=kind, plain=kind not in _PREPARED, secret=kind == "secret")


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
        elif isinstance(hint, typing.TypeVar):
            hint = hint.__bound__ or Any
        else:
            return hint, metas


_FieldParts = tuple[str, str, Any, typing.Callable[[], Any] | None]


def _struct_fields(target: Any) -> abc.Iterator[_FieldParts]:
    try:
        infos = msgspec.structs.fields(target)
    except NameError as exc:
        raise ConfigTypeError(_unresolved(target, exc)) from exc
    for info in infos:
        default = _default(info.default, info.default_factory, msgspec.NODEFAULT)
        yield info.name, info.encode_name, info.type, default


def _dataclass_fields(target: Any) -> abc.Iterator[_FieldParts]:
    if typing.get_origin(target):
        raise ConfigTypeError(f"{target}: only a Struct can be generic here, not a dataclass")
    try:
        hints = typing.get_type_hints(target, include_extras=True)
    except NameError as exc:
        raise ConfigTypeError(_unresolved(target, exc)) from exc
    for field in dataclasses.fields(target):
        if field.init:
            default = _default(field.default, field.default_factory, dataclasses.MISSING)
            yield field.name, field.name, hints[field.name], default
        elif field.default is field.default_factory is dataclasses.MISSING:
            where = f"{target.__qualname__}.{field.name}"
            raise ConfigTypeError(f"{where}: a field with init=False needs a default")


def _default(default: Any, factory: Any, missing: Any) -> typing.Callable[[], Any] | None:
    if factory is not missing:
        return typing.cast("typing.Callable[[], Any]", factory)
    return None if default is missing else lambda: default


def _path_kind(inner: Any) -> Kind | None:
    import pathlib  # noqa: PLC0415  # takes long to load, and few have paths

    return "path" if inner in (pathlib.Path, pathlib.PurePath) else None


def _conceal(node: Node) -> None:
    if not isinstance(node, Section):
        node.secret = True
        for part in parts(node):
            _conceal(part)


def _check_names(section: Section) -> None:
    """Refuse two fields that one key in the file, or one variable, would mean."""
    for form in (fold, segment):
        seen: dict[str, str] = {}
        for key in section.fields:
            other = seen.setdefault(form(key), key)
            if other != key:
                raise ConfigTypeError(
                    f"{section.name}: the keys {other!r} and {key!r} are too much alike"
                )


def _check_variables(root: Section) -> None:
    """Refuse two fields of different sections that one variable would mean."""
    seen: dict[str, str] = {}
    for path, fields in leaves(root):
        if not any(isinstance(field.node, Choice) for field in fields):
            other = seen.setdefault("__".join(map(segment, map(str, path))), dotted(path))
            if other != dotted(path):
                raise ConfigTypeError(f"{root.name}: {other} and {dotted(path)} have one variable")


def _check_supported(hint: Any, where: str) -> None:
    """Let msgspec refuse what it cannot tell apart or has no form for."""
    try:
        msgspec.json.Decoder(hint)
    except NameError as exc:
        raise ConfigTypeError(_unresolved(hint, exc)) from exc
    except TypeError as exc:
        raise ConfigTypeError(_unsupported(hint, where, str(exc))) from exc


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
