"""TypeScript: an npm package of ES modules, with the sources that they were compiled from.

Its runtime stands in `clients/typescript`. Only one module depends on the protocol, and that one
is written here thrice: as source, and as the JavaScript and the declarations that the compiler
would make of it. So nobody needs a compiler, also not for payloads of their own. A test holds both
against the real compiler's.
"""

import json
import re
from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import Final, NamedTuple

from msgspec.structs import replace

from mist.bindings.errors import BindingsError
from mist.bindings.languages.typescript.fields import (
    Records,
    descriptor,
    doc_of,
    member,
)
from mist.bindings.mark import marked, notice
from mist.bindings.model import Anything, Constant, Protocol, Record
from mist.bindings.shipped import CLIENTS

_CLIENT: Final = CLIENTS / "typescript"
_WIDTH: Final = 100
_IMPORTS: Final = {
    r"\bf\.": 'import * as f from "./fields.js";\n',
    r"\bJsonValue\b": 'import type { JsonValue } from "./json.js";\n',
    r"\br\.": 'import * as r from "./records.js";\n',
}
_DOCS: Final = re.compile(r"/\*\*.*?\*/", re.DOTALL)
_EXPORTED: Final = re.compile(r"^export (?:type )?\{(.*?)\}", re.MULTILINE | re.DOTALL)
# What the module uses or declares itself; the compiler has reserved the names in lower case.
_OWN_NAMES: Final = frozenset({"Envelope", "MessageType", "Payloads", "Record", "RegExp", "Source"})


def render(protocol: Protocol) -> Mapping[str, str]:
    """Return what depends on the protocol: one module in its three forms, and `package.json`."""
    items = _items(protocol)
    module = {
        "src/protocol.ts": "\n".join(["", *(item.source() for item in items)]),
        "lib/protocol.js": "".join(item.javascript() for item in items),
        "lib/protocol.d.ts": "".join(item.declaration() for item in items),
    }
    return {
        "package.json": _package(protocol),
        **{
            name: marked(name, _imports(text) + text, protocol.version)
            for name, text in module.items()
        },
    }


def _imports(module: str) -> str:
    """Return the imports of what a module uses: strict compilers refuse any other."""
    code = _DOCS.sub("", module)
    return "".join(line for used, line in _IMPORTS.items() if re.search(used, code))


def _package(protocol: Protocol) -> str:
    package = json.loads((_CLIENT / "package.json").read_text("utf-8"))
    package |= {"version": f"{protocol.version}.0.0", "//": notice(protocol.version)}
    return json.dumps(package, indent=2) + "\n"


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
        f"{_comment(doc_of(field), '  ')}  {member(field, whole=whole)};\n"
        for field in record.fields
    )
    return _Item(record.doc, f"interface {record.name} {{\n{members}}}")


def _record_type(record: Record, records: Records, *, whole: bool = False) -> _Item:
    fields = "".join(f"\n  {descriptor(field, records, whole=whole)}," for field in record.fields)
    end = "\n" if fields else ""
    closed = ", true" if record.closed else ""
    return _Item(
        f"How `{record.name}` is read and written.",
        f"const {record.name}: r.RecordType<{record.name}>;",
        f"new r.RecordType({json.dumps(record.name)}, () => [{fields}{end}]{closed})",
    )


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
            "const PAYLOADS: {\n  readonly [T in keyof Payloads]: r.RecordType<Payloads[T]>;\n};",
            f"{{\n{values}}}",
        ),
    ]


def _comment(doc: str, indent: str = "") -> str:
    # What ends a comment may stand in somebody's docstring, and what ends a line in a default.
    text = doc.replace("*/", "*\\/").translate({0x2028: "\\u2028", 0x2029: "\\u2029"})
    if not text:
        return ""
    if len(f"{indent}/** {text} */") <= _WIDTH and "\n" not in text:
        return f"{indent}/** {text} */\n"
    lines = wrap(text, _WIDTH - len(indent) - len(" * "), break_long_words=False)
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in lines) + f"{indent} */\n"


def _respaced(text: str) -> str:
    """Return a statement indented as the compiler does it."""
    return re.sub(r"^(?:  )+", lambda spaces: spaces[0] * 2, text, flags=re.MULTILINE)


def _refuse_reserved(records: Iterable[Record]) -> None:
    exported = " ".join(_EXPORTED.findall((_CLIENT / "src" / "index.ts").read_text("utf-8")))
    taken = _OWN_NAMES.union(re.findall(r"\w+", exported))
    for record in records:
        name = record.name
        if name in taken or name.isupper() or name.islower() or not name.isidentifier():
            raise BindingsError(
                f"the class {name} cannot have that name in TypeScript; rename it, say to"
                f" {name[0].upper()}{name[1:]}Payload"
            )
        if any(field.wire == "__proto__" for field in record.fields):
            raise BindingsError(
                f"{name} cannot have a field __proto__ in TypeScript, where it is no member of an"
                " object; give it another key"
            )
