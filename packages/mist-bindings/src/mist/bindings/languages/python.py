"""The client in Python: one file that needs nothing but the standard library of 3.8."""

import ast
import json
import keyword
import textwrap
from collections.abc import Iterable, Mapping, Set
from typing import Any, Final

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

FILE: Final = "mist_client.py"
_TEMPLATES: Final = tuple(
    f"python/{section}.py.in"
    for section in (
        "head",
        "errors",
        "json",
        "reading",
        "payloads",
        "messages",
        "versions",
        "transport",
        "http",
        "stdio",
    )
)
_WIDTH: Final = 100
# What the body of a generated class uses, and so no attribute of it may be called.
_IN_A_CLASS: Final = frozenset(
    {"Any", "ClassVar", "Dict", "List", "Literal", "Optional", "Tuple", "classmethod"}
    | {"bool", "dataclasses", "dict", "float", "int", "list", "str"}
    | {"_NULL_WHEN_EMPTY", "from_json", "self", "to_json"}
)


def render(protocol: Protocol) -> dict[str, str]:
    """Return the one file.

    Raises:
        BindingsError: A name cannot be used in Python; the text says which.
    """
    without = _fill(protocol, literal="", records="", registry="", exports="")
    defined = _top_level_names(without)
    taken = {*defined, *_imported_names(without), "Literal", "Reader"}
    for record in protocol.records:
        _check_names(record, taken)
    records = [record.name for record in protocol.records]
    exports = [name for name in defined if not name.startswith("_") and name != "T"]
    return {
        FILE: _fill(
            protocol,
            literal="    Literal,\n" if _has_choice(protocol) else "",
            records="\n\n\n".join(_record(record) for record in protocol.records),
            registry="\n".join(
                f"    {_literal(each.type.value)}: {each.record}," for each in protocol.messages
            ),
            exports="\n".join(f"    {_literal(name)}," for name in _sorted(exports + records)),
        )
    }


def _fill(protocol: Protocol, **parts: str) -> str:
    http = protocol.http
    return fill(
        *_TEMPLATES,
        notice=notice(protocol.version),
        version=protocol.version,
        min_version=protocol.min_version,
        max_version=protocol.max_version,
        max_message_size=str(protocol.max_message_size),
        max_envelope_size=str(protocol.max_envelope_size),
        sources=_constants(protocol.sources),
        message_types=_constants([message.type for message in protocol.messages]),
        envelope_docs=_attributes(protocol.envelope.fields),
        timeout=repr(http.timeout),
        path=http.path,
        json=http.json,
        ndjson=http.ndjson,
        announcement=http.announcement,
        max_batch_messages=str(http.max_batch_messages),
        max_batch_bytes=str(http.max_batch_bytes),
        **parts,
    )


def _top_level_names(source: str) -> list[str]:
    """Return what a module defines for its users and for itself, in order."""
    names: list[str] = []
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) if name != "__all__":
                names.append(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
            case _:
                pass
    names.remove("Reader")  # a word of the readers' signatures, which nobody else needs
    return names


def _imported_names(source: str) -> set[str]:
    return {
        alias.name.partition(".")[0]
        for node in ast.parse(source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _sorted(names: Iterable[str]) -> list[str]:
    """Order constants before classes before functions, as linters expect it."""
    return sorted(
        names, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name)
    )


def _check_names(record: Record, taken: Set[str]) -> None:
    if record.name in taken or not _is_name(record.name):
        raise BindingsError(
            f"the payload class {record.name} cannot be called so in the Python client,"
            " which has that name already; rename the class"
        )
    for field in record.fields:
        if field.name in _IN_A_CLASS or not _is_name(field.name):
            raise BindingsError(
                f"{record.name}.{field.name} cannot be called so in the Python client; rename"
                f' the attribute and keep its key with msgspec.field(name="{field.wire}")'
            )


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _constants(constants: Iterable[Constant]) -> str:
    return "\n".join(f"    {each.name} = {_literal(each.value)}" for each in constants)


def _record(record: Record) -> str:
    # Fields with a default come last, as dataclasses want it; JSON has them in wire order.
    fields = sorted(record.fields, key=lambda field: not field.required)
    lines = [
        "@dataclasses.dataclass",
        f"class {record.name}:",
        _docstring(record),
        "",
        *(f"    {field.name}: {_annotation(field.type)}{_default(field)}" for field in fields),
        *_null_when_empty(record),
        "",
        *_from_json(record),
        "",
        *_to_json(record),
    ]
    return "\n".join(lines)


def _null_when_empty(record: Record) -> list[str]:
    keys = tuple(field.wire for field in record.fields if field.null_when_empty)
    return ["", f"    _NULL_WHEN_EMPTY: ClassVar[Tuple[str, ...]] = {_tuple(keys)}"] if keys else []


def _docstring(record: Record) -> str:
    summary = record.doc or f"The payload `{record.name}`."
    text = textwrap.fill(summary, _WIDTH - 7)
    if record.fields:
        text += f"\n\nAttributes:\n{_attributes(record.fields, indent='')}\n"
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return textwrap.indent(f'"""{text}"""', "    ", lambda line: bool(line.strip()))


def _attributes(fields: Iterable[Field], indent: str = "    ") -> str:
    entries: list[str] = []
    for field in fields:
        wire = f" (`{field.wire}` on the wire)" if field.wire != field.name else ""
        doc = field.doc or "Not documented."
        if wire:
            doc = f"{doc[:-1]}{wire}." if doc.endswith(".") else doc + wire
        entries.append(
            textwrap.fill(
                f"{field.name}: {doc}",
                _WIDTH - 4 + len(indent),
                initial_indent=indent + "    ",
                subsequent_indent=indent + "        ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(entries)


def _from_json(record: Record) -> list[str]:
    known = tuple(field.wire for field in record.fields)
    members = (
        f"_members(value, path, {_tuple(known)})" if record.closed else "_members(value, path)"
    )
    lines = [
        "    @classmethod",
        f'    def from_json(cls, value: Any, path: str = "$") -> {record.name}:',
        '        """Read it from JSON values; an error names the path of what does not fit."""',
    ]
    if not record.fields:
        return [*lines, f"        {members}", "        return cls()"]
    return [
        *lines,
        f"        members = {members}",
        "        return cls(",
        *(f"            {field.name}={_read(field)}," for field in record.fields),
        "        )",
    ]


def _read(field: Field) -> str:
    key, takes_null = _literal(field.wire), isinstance(field.type, Anything | Nullable)
    if field.required:
        value = f"_present(members, {key}, path, null={takes_null})"
    elif takes_null:
        default = f", {_literal(field.default)}" if field.default is not None else ""
        value = f"members.get({key}{default})"
    elif field.default == _zero(field.type):
        value = f"members.get({key})"
    else:
        value = f"_or(members.get({key}), {_literal(field.default)})"
    place = _literal("." + field.wire)[1:-1].replace("{", "{{").replace("}", "}}")
    return f'{_reader(field.type)}({value}, f"{{path}}{place}")'


def _to_json(record: Record) -> list[str]:
    lines = [
        "    def to_json(self) -> Dict[str, Any]:",
        '        """Return it as JSON values, in the order of the wire."""',
    ]
    if not any(field.omitted_at_default for field in record.fields):
        entries = [
            f"            {_literal(each.wire)}: {_written(each)}," for each in record.fields
        ]
        return [
            *lines,
            *(["        return {", *entries, "        }"] if entries else ["        return {}"]),
        ]
    lines.append("        members: Dict[str, Any] = {}")
    for field in record.fields:
        line = f"members[{_literal(field.wire)}] = {_written(field)}"
        if field.omitted_at_default:
            default = _literal(field.default)
            lines += [f"        if self.{field.name} != {default}:", f"            {line}"]
        else:
            lines.append(f"        {line}")
    return [*lines, "        return members"]


def _written(field: Field) -> str:
    value = f"self.{field.name}"
    return f"_plain({value})" if _has_record(field.type) else value


def _annotation(kind: Type) -> str:  # noqa: PLR0911  # one line a kind
    match kind:
        case Text():
            return "str"
        case Integer():
            return "int"
        case Number():
            return "float"
        case Boolean():
            return "bool"
        case Anything():
            return "Any"
        case Choice():
            return f"Literal[{', '.join(_literal(value) for value in kind.values)}]"
        case List():
            return f"List[{_annotation(kind.item)}]"
        case Map():
            return f"Dict[str, {_annotation(kind.value)}]"
        case Reference():
            return kind.record
        case Nullable():
            return f"Optional[{_annotation(kind.inner)}]"


def _reader(kind: Type) -> str:  # noqa: PLR0911  # one line a kind
    """Return the expression of the function that reads such a value."""
    match kind:
        case Text(min_length=None, max_length=None, pattern=None):
            return "_string"
        case Text():
            return f"_text({kind.min_length or 0}, {kind.max_length}, {_literal(kind.pattern)})"
        case Integer(minimum=low, maximum=high):
            whole = (low, high) == (INT64_MIN, INT64_MAX)
            return "_int64" if whole else f"_integer({low}, {high})"
        case Number(minimum=None, maximum=None):
            return "_number()"
        case Number():
            return f"_number({kind.minimum!r}, {kind.maximum!r})"
        case Boolean():
            return "_boolean"
        case Anything():
            return "_anything"
        case Choice():
            return f"_choice({', '.join(_literal(value) for value in kind.values)})"
        case List():
            return f"_list({_reader(kind.item)})"
        case Map():
            return f"_map({_reader(kind.value)})"
        case Reference():
            return f"{kind.record}.from_json"
        case Nullable():
            return f"_nullable({_reader(kind.inner)})"


def _zero(kind: Type) -> Any:
    """Return what a reader makes of null; of a choice it makes nothing, so nothing equals it."""
    zeros: Mapping[type[Any], Any] = {
        Text: "", Integer: 0, Number: 0.0, Boolean: False, List: [], Map: {}, Reference: {}
    }  # fmt: skip
    return zeros.get(type(kind), ...)


def _default(field: Field) -> str:
    if field.required:
        return ""
    if isinstance(field.type, Reference):
        made = f"{field.type.record}.from_json({_literal(field.default)})"
        return f" = dataclasses.field(default_factory=lambda: {made})"
    if isinstance(field.type, List | Map) and field.default is not None:
        empty = "list" if isinstance(field.type, List) else "dict"
        factory = f"lambda: {_literal(field.default)}" if field.default else empty
        return f" = dataclasses.field(default_factory={factory})"
    return f" = {_literal(field.default)}"


def _has_choice(protocol: Protocol) -> bool:
    annotations = (_annotation(f.type) for record in protocol.records for f in record.fields)
    return any("Literal[" in annotation for annotation in annotations)


def _has_record(kind: Type) -> bool:
    match kind:
        case Reference() | Anything():
            return True
        case List():
            return _has_record(kind.item)
        case Map():
            return _has_record(kind.value)
        case Nullable():
            return _has_record(kind.inner)
        case _:
            return False


def _tuple(items: tuple[str, ...]) -> str:
    inside = ", ".join(_literal(item) for item in items)
    return f"({inside},)" if len(items) == 1 else f"({inside})"


def _literal(value: Any) -> str:
    """Return a Python literal, its strings in double quotes as formatters have them."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # its escapes are Python's too
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # free-form
        return f"[{', '.join(_literal(item) for item in items)}]"
    if isinstance(value, dict):
        members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # free-form
        return f"{{{', '.join(f'{_literal(k)}: {_literal(v)}' for k, v in members.items())}}}"
    return repr(value)
