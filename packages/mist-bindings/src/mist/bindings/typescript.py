"""TypeScript: an npm package of ES modules, with the sources that they were compiled from.

Only one module depends on the protocol, and that one is written here thrice: as source, and as
the JavaScript and the declarations that the compiler would make of it. So nobody needs a compiler,
also not for payloads of their own. A test holds both against the real compiler's.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from textwrap import wrap
from typing import Any, Final, NamedTuple, TypeAlias

from mist.bindings.errors import BindingsError
from mist.bindings.mark import notice
from mist.bindings.model import (
    INT64_MAX,
    INT64_MIN,
    Anything,
    Boolean,
    Choice,
    Constant,
    Field,
    Integer,
    List,
    Map,
    Nullable,
    Number,
    Protocol,
    Record,
    Reference,
    Text,
    Type,
)
from mist.bindings.templates import fill

_WIDTH: Final = 100
_SAFE: Final = (1 << 53) - 1
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
# What Python's regular expressions have and JavaScript's have not, or spell in another way.
_FOREIGN_PATTERN: Final = re.compile(r"\(\?[P#aiLmsux(>]|\\[AZ]|[*+?}]\+")
_EXPORTED: Final = re.compile(r"^export (?:type )?\{(.*?)\}", re.MULTILINE | re.DOTALL)
# What the module uses or declares itself; the compiler has reserved the names in lower case.
_OWN_NAMES: Final = frozenset({"Envelope", "MessageType", "Payloads", "Record", "RegExp", "Source"})
_COMMENTED: Final = (".ts", ".js")

_Records: TypeAlias = Mapping[str, Record]


def render(protocol: Protocol) -> Mapping[str, str]:
    """Return the package: `src/*.ts`, `lib/*.js` and `lib/*.d.ts`, `package.json` and the rest."""
    line = notice(protocol)
    texts = sources(protocol) | compiled(protocol)
    marked = {
        name: f"// {line}\n\n{text}" if name.endswith(_COMMENTED) else text
        for name, text in texts.items()
    }
    return marked | {
        "package.json": fill(
            "typescript/package.json.in", notice=line, version=f"{protocol.version}.0.0"
        ),
        "tsconfig.json": fill("typescript/tsconfig.json.in", notice=line),
        "README.md": fill("typescript/README.md.in", notice=line),
    }


def sources(protocol: Protocol) -> dict[str, str]:
    """Return what the compiler reads, below `src/`."""
    module = "\n".join(item.source() for item in _items(protocol))
    return _below("src") | {"src/protocol.ts": f"{_IMPORT_FIELDS}{_IMPORT_JSON}\n{module}"}


def compiled(protocol: Protocol) -> dict[str, str]:
    """Return what the compiler makes of the sources, below `lib/`."""
    items = _items(protocol)
    values = "".join(item.javascript() for item in items)
    types = "".join(item.declaration() for item in items)
    return _below("lib") | {
        "lib/protocol.js": f"{_IMPORT_FIELDS}{values}",
        "lib/protocol.d.ts": f"{_IMPORT_FIELDS}{_IMPORT_JSON}{types}",
    }


def _below(directory: str) -> dict[str, str]:
    root = files("mist.bindings").joinpath("templates", "typescript", directory)
    return {f"{directory}/{name}": text for name, text in _texts(root)}


def _texts(directory: Traversable, prefix: str = "") -> Iterable[tuple[str, str]]:
    for entry in sorted(directory.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _texts(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_text("utf-8")


class _Item(NamedTuple):
    """One statement of the module.

    Attributes:
        doc: What it is.
        declared: It as a declaration, without a value.
        value: The value of the constant that it declares; empty for what is a type alone.
    """

    doc: str
    declared: str
    value: str = ""

    def source(self) -> str:
        """Return it as a person would write it."""
        ending = f" = {self.value};\n" if self.value else ""
        start = self.declared.removesuffix(";") if self.value else f"{self.declared}\n"
        return f"{_comment(self.doc)}export {start}{ending}"

    def javascript(self) -> str:
        """Return it as the compiler does in `.js`."""
        name = self.declared.partition(":")[0]
        return _respaced(
            f"{_comment(self.doc)}export {name} = {self.value};\n" if self.value else ""
        )

    def declaration(self) -> str:
        """Return it as the compiler does in `.d.ts`."""
        declare = "declare " if self.value else ""
        return _respaced(f"{_comment(self.doc)}export {declare}{self.declared}\n")


def _items(protocol: Protocol) -> list[_Item]:
    _refuse_reserved(protocol.records)
    envelope = replace(
        protocol.envelope,
        name="Envelope",
        doc="The fields of a message, in the order in which they are written.",
        # The payload is not read with the envelope, but kept to the letter.
        fields=tuple(
            replace(field, default="") if isinstance(field.type, Anything) else field
            for field in protocol.envelope.fields
        ),
    )
    types = [message.type for message in protocol.messages]
    records = {record.name: record for record in protocol.records}
    return [
        *_limits(protocol),
        *_names("MessageType", "The message types whose payload is known.", types),
        *_names(
            "Source",
            "The stack's own tools; any other non-empty string is a source too.",
            protocol.sources,
        ),
        _interface(envelope, whole=True),
        _record_type(envelope, records, whole=True),
        *(
            item
            for record in protocol.records
            for item in (_interface(record), _record_type(record, records))
        ),
        *_payloads(protocol),
    ]


_IMPORT_FIELDS: Final = 'import * as f from "./fields.js";\n'
_IMPORT_JSON: Final = 'import type { JsonValue } from "./json.js";\n'


def _limits(protocol: Protocol) -> list[_Item]:
    http = {
        "path": ("Where a URL without a path posts to.", protocol.http.path),
        "json": ("The content type of one message.", protocol.http.json),
        "ndjson": ("The content type of a batch: one message a line.", protocol.http.ndjson),
        "announcement": (
            "The header of an answer that names the content types a listener takes.",
            protocol.http.announcement,
        ),
        "timeoutMs": ("Bound on one request, in milliseconds.", int(protocol.http.timeout * 1000)),
        "maxBatchMessages": (
            "How many messages a batch has at most.",
            protocol.http.max_batch_messages,
        ),
        "maxBatchBytes": ("How many bytes a batch has at most.", protocol.http.max_batch_bytes),
    }
    members = "".join(
        f"{_comment(doc, '  ')}  readonly {name}: {'string' if isinstance(value, str) else 'number'};\n"
        for name, (doc, value) in http.items()
    )
    values = "".join(f"  {name}: {json.dumps(value)},\n" for name, (_, value) in http.items())
    return [
        _text("CURRENT_VERSION", "The version that new messages carry.", protocol.version),
        _text("MIN_SUPPORTED_VERSION", "The oldest version that is read.", protocol.min_version),
        _text("MAX_SUPPORTED_VERSION", "The newest version that is read.", protocol.max_version),
        _count("MAX_MESSAGE_SIZE", "The largest payload, in bytes.", protocol.max_message_size),
        _count(
            "MAX_ENVELOPE_SIZE",
            "The largest encoded message, in bytes.",
            protocol.max_envelope_size,
        ),
        _Item(
            "How messages travel over HTTP.",
            f"const HTTP: {{\n{members}}};",
            f"{{\n{values}}}",
        ),
    ]


def _text(name: str, doc: str, value: str) -> _Item:
    return _Item(doc, f"const {name}: string;", json.dumps(value))


def _count(name: str, doc: str, value: int) -> _Item:
    return _Item(doc, f"const {name}: number;", str(value))


def _names(name: str, doc: str, constants: Iterable[Constant]) -> list[_Item]:
    pairs = [(each.name, json.dumps(each.value)) for each in constants]
    members = "".join(f"  readonly {key}: {value};\n" for key, value in pairs)
    values = "".join(f"  {key}: {value},\n" for key, value in pairs)
    return [
        _Item(doc, f"const {name}: {{\n{members}}};", f"{{\n{values}}}"),
        _Item("", f"type {name} = (typeof {name})[keyof typeof {name}];"),
    ]


def _interface(record: Record, *, whole: bool = False) -> _Item:
    members = "".join(
        f"{_comment(_doc_of(field), '  ')}  {_member(field, whole=whole)};\n"
        for field in record.fields
    )
    return _Item(record.doc, f"interface {record.name} {{\n{members}}}")


def _member(field: Field, *, whole: bool) -> str:
    declared = "string" if whole and isinstance(field.type, Anything) else _type(field.type, field)
    if field.omitted_at_default and not whole:
        return f"{_key(field.wire)}?: {declared} | undefined"
    return f"{_key(field.wire)}: {declared}"


def _record_type(record: Record, records: _Records, *, whole: bool = False) -> _Item:
    fields = "".join(f"  {_field(field, records, whole=whole)},\n" for field in record.fields)
    closed = ", true" if record.closed else ""
    return _Item(
        f"How `{record.name}` is read and written.",
        f"const {record.name}: f.RecordType<{record.name}>;",
        f"new f.RecordType({json.dumps(record.name)}, () => [\n{fields}]{closed})",
    )


def _field(field: Field, records: _Records, *, whole: bool) -> str:
    kind = "f.raw" if whole and isinstance(field.type, Anything) else _kind(field.type, field)
    options: list[str] = []
    if field.required:
        options.append("required: true")
    elif not _is_zero(field.default, field.type):
        options.append(f"fallback: {_literal(field.default, field.type, field, records)}")
    if field.omitted_at_default and not whole:
        options.append(f"omitted: {json.dumps(_written(field.default))}")
    if field.null_when_empty:
        options.append("nullWhenEmpty: true")
    more = f", {{ {', '.join(options)} }}" if options else ""
    return f"f.field({json.dumps(field.wire)}, {kind}{more})"


def _payloads(protocol: Protocol) -> list[_Item]:
    members = "".join(
        f"  {json.dumps(message.type.value)}: {message.record};\n" for message in protocol.messages
    )
    values = "".join(
        f"  {json.dumps(message.type.value)}: {message.record},\n" for message in protocol.messages
    )
    return [
        _Item("The record of each message type's payload.", f"interface Payloads {{\n{members}}}"),
        _Item(
            "How the payload of each message type is read and written.",
            "const PAYLOADS: {\n  readonly [T in keyof Payloads]: f.RecordType<Payloads[T]>;\n};",
            f"{{\n{values}}}",
        ),
    ]


def _type(kind: Type, field: Field) -> str:  # noqa: PLR0911  # one line a kind
    match kind:
        case Text():
            return "string"
        case Integer():
            return {"f.bigint": "bigint", "f.integer": "number"}.get(
                _integer(kind, field), "f.Int64"
            )
        case Number():
            return "number"
        case Boolean():
            return "boolean"
        case Anything():
            return "JsonValue"
        case Choice(values):
            return " | ".join(json.dumps(value) for value in values)
        case List(item):
            inner = _type(item, field)
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case Map(value):
            return f"Record<string, {_type(value, field)}>"
        case Reference(record):
            return record
        case Nullable(inner):
            return f"{_type(inner, field)} | null"


def _kind(kind: Type, field: Field) -> str:  # noqa: PLR0911  # one line a kind
    match kind:
        case Text():
            return f"f.text({_text_limits(kind, field)})"
        case Integer():
            function = _integer(kind, field)
            free = function != "f.integer" and (kind.minimum, kind.maximum) == (
                INT64_MIN,
                INT64_MAX,
            )
            return f"{function}({'' if free else f'{kind.minimum}n, {kind.maximum}n'})"
        case Number():
            bounds = {"minimum": kind.minimum, "maximum": kind.maximum}
            given = ", ".join(f"{k}: {_written(v)}" for k, v in bounds.items() if v is not None)
            return f"f.number({f'{{ {given} }}' if given else ''})"
        case Boolean():
            return "f.boolean"
        case Anything():
            return "f.json"
        case Choice(values):
            return f"f.choice({', '.join(json.dumps(value) for value in values)})"
        case List(item):
            return f"f.list({_kind(item, field)})"
        case Map(value):
            return f"f.map({_kind(value, field)})"
        case Reference(record):
            return f"f.record(() => {record})"
        case Nullable(inner):
            return f"f.nullable({_kind(inner, field)})"


def _integer(kind: Integer, field: Field) -> str:
    """Return how an integer is held: a bigint where a number never would do, or may not."""
    if field.wire.endswith("_ns"):
        return "f.bigint"
    if kind.minimum >= -_SAFE and kind.maximum <= _SAFE:
        return "f.integer"
    return "f.int64"


def _text_limits(kind: Text, field: Field) -> str:
    given: list[str] = []
    if kind.min_length is not None:
        given.append(f"minLength: {kind.min_length}")
    if kind.max_length is not None:
        given.append(f"maxLength: {kind.max_length}")
    if kind.pattern is not None:
        if _FOREIGN_PATTERN.search(kind.pattern):
            raise BindingsError(
                f"field {field.wire}: the pattern {kind.pattern!r} is one of Python alone;"
                " write it so that JavaScript reads it too"
            )
        given.append(f'pattern: new RegExp({json.dumps(kind.pattern)}, "u")')
    return f"{{ {', '.join(given)} }}" if given else ""


def _is_zero(default: Any, kind: Type) -> bool:
    """Tell whether a default is what a missing field of this type is anyway."""
    match kind:
        case Choice():
            return False
        case Nullable() | Anything():
            return default is None
        case Text():
            return bool(default == "")
        case Integer() | Number() | Boolean():
            return bool(default == 0)
        case _:
            return not default


def _literal(default: Any, kind: Type, field: Field, records: _Records) -> str:
    if isinstance(kind, Nullable):
        return "null" if default is None else _literal(default, kind.inner, field, records)
    if isinstance(kind, List):
        return f"[{', '.join(_literal(item, kind.item, field, records) for item in default)}]"
    if isinstance(kind, Map):
        return _object({k: _literal(v, kind.value, field, records) for k, v in default.items()})
    if isinstance(kind, Reference):
        members = {each.wire: each for each in records[kind.record].fields}
        return _object(
            {k: _literal(v, members[k].type, members[k], records) for k, v in default.items()}
        )
    if isinstance(kind, Integer) and (_integer(kind, field) == "f.bigint" or abs(default) > _SAFE):
        return f"{default}n"
    return _written(default)


def _object(members: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{json.dumps(key)}: {text}' for key, text in members.items())} }}"


def _written(value: Any) -> str:
    """Return a value as JSON, as a client writes it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004  # from here on, JavaScript has an exponent
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _doc_of(field: Field) -> str:
    if field.omitted_at_default and field.default not in ("", 0, None, [], {}):
        return f"{field.doc} Absent: {_written(field.default)}.".strip()
    return field.doc


def _comment(doc: str, indent: str = "") -> str:
    # What ends a comment may stand in somebody's docstring.
    text = doc.replace("*/", "*\\/")
    if not text:
        return ""
    if len(f"{indent}/** {text} */") <= _WIDTH and "\n" not in text:
        return f"{indent}/** {text} */\n"
    lines = wrap(text, _WIDTH - len(indent) - len(" * "), break_long_words=False)
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in lines) + f"{indent} */\n"


def _respaced(text: str) -> str:
    """Return a statement indented as the compiler does it."""
    return re.sub(r"^(?:  )+", lambda spaces: spaces[0] * 2, text, flags=re.MULTILINE)


def _key(wire: str) -> str:
    return wire if _IDENTIFIER.fullmatch(wire) else json.dumps(wire)


def _refuse_reserved(records: Iterable[Record]) -> None:
    exported = " ".join(_EXPORTED.findall(_below("src")["src/index.ts"]))
    taken = _OWN_NAMES.union(re.findall(r"\w+", exported))
    for record in records:
        name = record.name
        if name in taken or name.isupper() or name.islower() or not _IDENTIFIER.fullmatch(name):
            raise BindingsError(
                f"the class {name} cannot have that name in TypeScript; rename it, say to"
                f" {name.capitalize()}Payload"
            )
