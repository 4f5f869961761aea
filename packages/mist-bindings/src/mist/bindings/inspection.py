"""The model, read off the classes of mist-protocol and those that users registered."""

import re
from collections.abc import Iterable
from types import GenericAlias
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import NODEFAULT, inspect

from mist.bindings.docs import read_docs
from mist.bindings.errors import BindingsError
from mist.bindings.kinds import Kinds
from mist.bindings.model import Constant, Field, Message, Protocol, Record, Reference
from mist.protocol import (
    CURRENT_VERSION,
    MAX_MESSAGE_SIZE,
    MAX_SUPPORTED_VERSION,
    MIN_SUPPORTED_VERSION,
    MessageType,
    Source,
    payload_types,
)
from mist.protocol import Message as Envelope
from mist.protocol.limits import MAX_ENVELOPE_SIZE

OWN_TYPES: Final = tuple(str(member) for member in MessageType)
"""The message types of the MIST stack itself."""

_WithFields: TypeAlias = inspect.StructType | inspect.DataclassType | inspect.TypedDictType


def describe(types: Iterable[str] | None = None) -> Protocol:
    """Return the protocol with the payloads of these message types.

    Args:
        types: The message types; by default all that are registered with
            `mist.protocol.payload_type`, the stack's own first.

    Raises:
        BindingsError: A class cannot be described; the text names its field.
    """
    classes = payload_types()
    wanted = set(classes if types is None else types)
    if missing := sorted(wanted - set(classes)):
        raise BindingsError(f"no payload is registered for {missing[0]!r}", code="not_found")
    ordered = [name for name in OWN_TYPES if name in wanted]
    ordered += sorted(wanted - set(OWN_TYPES))
    records = _Records()
    messages = tuple(
        Message(Constant(_constant(name), name), records.add(classes[name], f"payload of {name}"))
        for name in ordered
    )
    _refuse_twins([message.type for message in messages])
    return Protocol(
        version=CURRENT_VERSION,
        min_version=MIN_SUPPORTED_VERSION,
        max_version=MAX_SUPPORTED_VERSION,
        max_message_size=MAX_MESSAGE_SIZE,
        max_envelope_size=MAX_ENVELOPE_SIZE,
        envelope=_Records().build(inspect.type_info(Envelope), "envelope"),
        sources=tuple(Constant(member.name, str(member)) for member in Source),
        messages=messages,
        records=tuple(records.found.values()),
    )


class _Records:
    """The records met so far, each after those that it refers to."""

    def __init__(self) -> None:
        self.found: dict[str, Record] = {}
        self._holders: dict[str, Any] = {}
        self._kinds = Kinds(self._reference)

    def add(self, cls: type[Any], place: str) -> str:
        """Take in a payload class and return its record's name."""
        try:
            info = inspect.type_info(cls)
        except TypeError as exc:
            raise BindingsError(f"{place}: msgspec cannot read {cls.__name__}: {exc}") from exc
        if isinstance(info, _WithFields):
            return self._reference(info, place)
        raise BindingsError(
            f"{place}: {cls!r} has no named fields; register a Struct, dataclass or TypedDict"
        )

    def build(self, info: inspect.Type, place: str) -> Record:
        """Return the record of a class that has fields."""
        assert isinstance(info, _WithFields)  # noqa: S101  # for the type checker
        cls = info.cls
        docs = read_docs(cls)
        _refuse_other_shapes(info, place)
        config = getattr(cls, "__struct_config__", None)
        nil_slices: tuple[str, ...] = getattr(cls, "NIL_SLICES", ())
        return Record(
            name=cls.__name__,
            doc=docs.summary,
            fields=tuple(
                self._field(
                    field,
                    docs.attributes.get(field.name, ""),
                    f"{place}, {cls.__name__}.{field.name}",
                    omits=config is not None and config.omit_defaults,
                    nil_slice=field.name in nil_slices,
                )
                for field in _in_wire_order(info)
            ),
            closed=getattr(info, "forbid_unknown_fields", False),
        )

    def _field(
        self, field: inspect.Field, doc: str, place: str, *, omits: bool, nil_slice: bool
    ) -> Field:
        plain = field.default is not NODEFAULT or field.default_factory in (list, dict)
        kind = self._kinds.of(field.type, place)
        required = field.required or not (plain or _is_repeatable(field.default_factory))
        return Field(
            wire=field.encode_name,
            name=field.name,
            type=kind,
            doc=doc,
            required=required,
            default=None if required else _default(field, place),
            # msgspec tells a record that equals the default only by its identity.
            omitted_at_default=omits and plain and not isinstance(kind, Reference),
            null_when_empty=nil_slice,
        )

    def _reference(self, info: inspect.Type, place: str) -> str:
        """Return the name of a class's record, which is built on the first call."""
        assert isinstance(info, _WithFields)  # noqa: S101  # for the type checker
        cls: Any = info.cls
        if isinstance(cls, GenericAlias) or not isinstance(cls, type):
            raise BindingsError(f"{place}: {cls!r} is generic; derive a class from it and use that")
        name = cls.__name__
        holder = self._holders.get(name)
        if holder is None:
            self._holders[name] = cls  # before it is built: it may refer to itself
            self.found[name] = self.build(info, place)
        elif holder is not cls:
            raise BindingsError(
                f"{place}: {cls.__module__}.{cls.__qualname__} and {holder.__module__}."
                f"{holder.__qualname__} would both be named {name}; rename one of them"
            )
        return name


def _in_wire_order(info: _WithFields) -> Iterable[inspect.Field]:
    """Return the fields in the order of their class, which msgspec keeps for Structs alone."""
    if isinstance(info, inspect.StructType):
        return info.fields
    cls: Any = info.cls
    is_dataclass = isinstance(info, inspect.DataclassType)
    order = list(cls.__dataclass_fields__ if is_dataclass else cls.__annotations__)
    return sorted(info.fields, key=lambda field: order.index(field.name))


def _default(field: inspect.Field, place: str) -> Any:
    try:
        value = field.default_factory() if field.default is NODEFAULT else field.default
        # An absent payload is not one that is null, but there is no JSON for it either.
        if isinstance(value, msgspec.Raw):
            return None
        return msgspec.json.decode(msgspec.json.encode(value))  # by way of JSON, a tuple is a list
    except (TypeError, ValueError) as exc:
        raise BindingsError(f"{place}: its default has no JSON form: {exc}") from exc


def _is_repeatable(factory: Any) -> bool:
    """Tell whether a default is the same every time, as no function promises to be."""
    return isinstance(factory, (type, GenericAlias))


def _refuse_other_shapes(info: _WithFields, place: str) -> None:
    if not isinstance(info, inspect.StructType):
        return
    if info.array_like:
        raise BindingsError(f"{place}: {info.cls.__name__} is array_like; make it an object")
    if info.tag is not None:
        raise BindingsError(
            f"{place}: {info.cls.__name__} has a tag, which clients cannot write;"
            " declare the tag as a field with a Literal type"
        )


def _constant(message_type: str) -> str:
    name = re.sub(r"\W+", "_", message_type, flags=re.ASCII).strip("_").upper()
    if not name or name[0].isdigit():
        raise BindingsError(f"message type {message_type!r} makes no constant's name")
    return name


def _refuse_twins(constants: list[Constant]) -> None:
    seen: dict[str, str] = {}
    for constant in constants:
        other = seen.setdefault(constant.name, constant.value)
        if other != constant.value:
            raise BindingsError(
                f"message types {other!r} and {constant.value!r} would both be the constant"
                f" {constant.name}; rename one of them"
            )
