"""Payload classes made at random of all that the bindings describe, and JSON that mostly fits them.

What differs by design is left out: integers beyond 64 bits, the order of equal keys, dates and the
like, which clients take for strings. So are keys that msgspec itself cannot read.
"""

import dataclasses
import enum
import json
import sys
import types
from typing import Annotated, Any, Literal, TypedDict

import msgspec

_MODULE = "acme_at_random"
# What means something in Python, in JavaScript, or to whoever writes either of them.
_KEYS = (
    *("from", "class", "is-it", "with space", "größe", "$ref", "a.b", "{x}", "{", "it's", "<&>"),
    *("\u2028", "constructor", "toString", "default", "new", "then", "@@version@@", "%s", "🎉"),
    *("`", "${x}", "*/", "//", "0", "1", "value", "path", "hasOwnProperty", "length", "x" * 90),
)
_NAMES = (
    *("number", "members", "cls", "value", "path", "key", "json", "type", "id", "print", "re"),
    *("constructor", "seen_ns", "items", "keys", "x1", "größe", "async_", "match", "object"),
)
_CLASSES = (
    "Order",
    "Error",
    "Promise",
    "Object",
    "Array",
    "Map",
    "Symbol",
    "Größe",
    "Date",
    "Node",
)
_DOCS = (
    *(
        "",
        "Plain.",
        'Says "hi"',
        '"',
        'Three """ of them.',
        "Ends with \\",
        "\\u2028 \\x \\N",
        "'''",
    ),
    *("A comment: */ export const broken = 1; /*", "@@version@@ {x} %s ${x} `x` <b>", "größer 🎉"),
    *(
        "A word of " + "very" * 40 + "long, and many short ones " * 9,
        "@deprecated {@link x} # a\tb",
    ),
)
_TEXTS = ("", "a", "ab", "abc", "abcdef", "A", "🎉", "🎉🎉", "é", '"\\/\n\t\0', "<&>\u2028", "1")
_PATTERNS = ("^[a-z]+$", "b", "^.$", "[^a]", r"\d", r"^\w*$", "^(a|🎉)+$", r"^\S{2,}", "^a?$")
_CHOICES = ("red", "", "<&>", 'qu"ote', "\\", "it's", "🎉", "null", "1")
_WHOLE = (0, 1, -1, 7, 2**53, 2**53 + 1, -(2**63), 2**63 - 1)
_INTS = (*_WHOLE, 2, 100, 2**53 - 1, -(2**53) - 1)
_FLOATS = (0.0, -0.0, 1.0, -0.5, 0.1, 1e-5, 1e-7, 1e16, 1e21, 1.7976931348623157e308, 5e-324, 2.5)
_HOSTILE = (
    *("null", "true", "[]", "{}", '""', "0", "1.0", "-0", "1e2", "-1", "0.5", '"1"', "[null]"),
    *('{"":null}', "[[]]", '{"__proto__":{"x":1}}', '"\\ud83c\\udf89"', "[1,{}]"),
)


class RandomPayloads:
    """Makes payload classes, each of which may refer to those before it and to itself."""

    def __init__(self, rng):
        """Draw everything from one source of chance."""
        self._rng = rng
        self._made = []
        self._omits = False

    def new_class(self):
        """Return another class."""
        rng = self._rng
        name = f"{rng.choice(_CLASSES)}{len(self._made)}"
        make = rng.choice((self._struct, self._struct, self._dataclass, self._typed_dict))
        self._omits = make == self._struct and rng.random() < 0.5
        fields = {}
        for at in range(rng.randint(0, 6)):
            attribute = rng.choice(_NAMES) + rng.choice(("", "", str(at)))
            key = rng.choice(_KEYS) if rng.random() < 0.4 else attribute
            if key not in {each[1] for each in fields.values()}:
                kind = self._kind()
                fields[attribute] = (kind, key, self._default(kind))
        cls = make(name, fields)
        documented = [each for each in fields if rng.random() < 0.7]
        entries = "".join(f"    {each}: {rng.choice(_DOCS[1:])}\n" for each in documented)
        cls.__doc__ = rng.choice(_DOCS) + (f"\n\nAttributes:\n{entries}" if entries else "")
        self._made.append(cls)
        return cls

    def _struct(self, name, fields):
        rng = self._rng
        members = {
            attribute: (kind, msgspec.field(name=key, **default))
            for attribute, (kind, key, default) in fields.items()
        }
        if rng.random() < 0.4:
            again = rng.choice((f"{name} | None", f"list[{name}]", f"dict[str, {name}]"))
            default = {"l": [], "d": {}}.get(again[0])
            members["again"] = (again, msgspec.field(default=default))
        namespace = {attribute: default for attribute, (_, default) in members.items()}
        namespace["__annotations__"] = {each: kind for each, (kind, _) in members.items()}
        namespace["__module__"] = _MODULE
        module = sys.modules.setdefault(_MODULE, types.ModuleType(_MODULE))
        cls = type(msgspec.Struct)(
            name,
            (msgspec.Struct,),
            namespace,
            kw_only=True,
            omit_defaults=self._omits,
            forbid_unknown_fields=rng.random() < 0.3,
        )
        setattr(module, name, cls)  # where its own annotations look it up
        return cls

    def _dataclass(self, name, fields):
        return dataclasses.make_dataclass(
            name,
            [
                (attribute, kind, dataclasses.field(**default, kw_only=True))
                for attribute, (kind, _, default) in fields.items()
                if attribute.isascii()
            ],
        )

    def _typed_dict(self, name, fields):
        return TypedDict(
            name, {each: kind for each, (kind, _, _) in fields.items() if each.isascii()}
        )

    def _kind(self, depth=0):
        rng = self._rng
        scalars = (str, int, float, bool, Any, self._bounded, self._bounded, self._choice)
        nested = (
            lambda: list[self._kind(depth + 1)],
            lambda: tuple[self._kind(depth + 1), ...],
            lambda: dict[str, self._kind(depth + 1)],
            lambda: self._kind(depth + 1) | None,
            lambda: rng.choice(self._made or [bool]),
        )
        chosen = rng.choice((*scalars, *nested) if depth < 3 else scalars)
        return chosen if isinstance(chosen, type) or chosen is Any else chosen()

    def _bounded(self):
        rng = self._rng
        if rng.random() < 0.3:
            low = rng.choice((-(2**63), -(2**53), -1, 0, 1, 5))
            high = rng.choice((7, 100, 2**53 - 1, 2**60, 2**63 - 1))
            bounds = {rng.choice(("ge", "gt")): low, rng.choice(("le", "lt")): high}
            return Annotated[int, msgspec.Meta(**bounds)]
        if rng.random() < 0.5:
            bounds = {"ge": rng.choice((-0.5, 0, 0.1)), "le": rng.choice((1.5, 1e21, 2))}
            return Annotated[float, msgspec.Meta(**bounds)]
        shortest = rng.randint(0, 3)
        limits = {
            "min_length": shortest,
            "max_length": rng.randint(shortest, 4),
            "pattern": rng.choice(_PATTERNS),
        }
        some = rng.sample(sorted(limits), rng.randint(1, 3))
        return Annotated[str, msgspec.Meta(**{each: limits[each] for each in some})]

    def _choice(self):
        rng = self._rng
        values = tuple(rng.sample(rng.choice((_CHOICES, _WHOLE)), 3))
        if rng.random() < 0.5:
            return Literal[values]
        return enum.Enum("Choice", [(f"c{at}", value) for at, value in enumerate(values)])

    def _default(self, kind):  # noqa: PLR0911  # one line a kind
        """Return what declares a default, or nothing where a field has to be given."""
        rng = self._rng
        if rng.random() < 0.3:
            return {}
        if kind in (str, int, float, bool) and rng.random() < 0.3:
            return {"default_factory": kind}
        if getattr(kind, "__origin__", None) in (list, dict):
            return {"default_factory": kind}
        if kind in self._made:
            return {"default_factory": kind} if _is_made_of_nothing(kind) else {}
        if self._omits and hasattr(kind, "__metadata__") and rng.random() < 0.4:
            return {"default": kind.__origin__()}  # which need not be within the bounds
        try:
            value = msgspec.convert(self._value(kind), kind)
            hash(value)
        except (
            TypeError,
            ValueError,
            msgspec.ValidationError,
        ):  # no ValueError in msgspec 0.20
            return {}
        return {"default": value}

    def text(self, cls):
        """Return JSON for a class: as it should be, or damaged in a place or two."""
        rng = self._rng
        value = self._object(cls)
        text = json.dumps(value, ensure_ascii=False)
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            value = json.loads(text)
            places = list(_places(value))
            if not places:
                return rng.choice(_HOSTILE)
            container, key = rng.choice(places)
            container[key] = hole = "a hole"
            if isinstance(container, dict) and rng.random() < 0.4:
                del container[key]
                container.update({rng.choice(_KEYS): None} if rng.random() < 0.5 else {})
            text = json.dumps(value, ensure_ascii=False)
            text = text.replace(json.dumps(hole), rng.choice(_HOSTILE))
        return text

    def _value(self, kind):  # noqa: PLR0911  # one line a kind
        """Return JSON values that often fit a kind."""
        rng = self._rng
        origin, arguments = getattr(kind, "__origin__", None), getattr(kind, "__args__", ())
        plain = {str: _TEXTS, int: _INTS, float: (*_FLOATS, *_INTS), bool: (True, False)}
        if kind in plain:
            return rng.choice(plain[kind])
        if kind is Any:
            return self._anything()
        if kind is type(None):
            return None
        if isinstance(kind, enum.EnumMeta):
            return rng.choice(list(kind)).value
        if hasattr(kind, "__metadata__"):
            return self._value(origin)
        if origin is Literal:
            return rng.choice(arguments)
        if origin in (list, tuple):
            return [self._value(arguments[0]) for _ in range(rng.randint(0, 3))]
        if origin is dict:
            keys = rng.sample((*_TEXTS, *_KEYS), rng.randint(0, 2))
            return {key: self._value(arguments[1]) for key in keys}
        return self._value(rng.choice(arguments)) if arguments else self._object(kind)

    def _object(self, cls):
        hints = cls.__annotations__
        made = {}
        for field in msgspec.inspect.type_info(cls).fields:
            if not field.required and self._rng.random() < 0.4:
                continue
            kind = hints[field.name]
            made[field.encode_name] = (
                self._again(cls, kind) if field.name == "again" else self._value(kind)
            )
        return made

    def _again(self, cls, kind):
        if self._rng.random() < 0.6:
            return None
        inner = self._object(cls)
        return {"l": [inner], "d": {"k": inner}}.get(kind[0], inner)

    def _anything(self, depth=0):
        rng = self._rng
        if depth < 3 and rng.random() < 0.3:
            inner = [self._anything(depth + 1) for _ in range(rng.randint(0, 3))]
            return rng.choice((inner, dict(zip(_KEYS, inner, strict=False))))
        return rng.choice((None, True, False, *_TEXTS, *_INTS, *_FLOATS))


def _is_made_of_nothing(cls):
    fields = msgspec.inspect.type_info(cls).fields
    return cls.__base__ is not dict and not any(field.required for field in fields)


def _places(value):
    """Return each place in JSON values: what holds it, and its key there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
