"""The client in Python: one file that needs nothing but the standard library of 3.8."""

import ast
import keyword
import textwrap
from collections.abc import Iterable, Set
from typing import Final

from mist.bindings.errors import BindingsError
from mist.bindings.languages.python.fields import (
    annotation,
    default_of,
    literal,
    read,
    tuple_of,
    written,
)
from mist.bindings.mark import notice
from mist.bindings.model import Anything, Constant, Field, Protocol, Record
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
        "options",
        "inbox",
        "sockets",
        "connection",
        "http",
        "stdio",
        "server",
        "requests",
        "admission",
        "conversation",
        "listener",
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
                f"    {literal(each.type.value)}: {each.record}," for each in protocol.messages
            ),
            exports="\n".join(f"    {literal(name)}," for name in _sorted(exports + records)),
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
    return "\n".join(f"    {each.name} = {literal(each.value)}" for each in constants)


def _record(record: Record) -> str:
    # Fields with a default come last, as dataclasses want it; JSON has them in wire order.
    fields = sorted(record.fields, key=lambda field: not field.required)
    lines = [
        "@dataclasses.dataclass",
        f"class {record.name}:",
        _docstring(record),
        *([""] if fields else []),
        *(_attribute(field) for field in fields),
        *_null_when_empty(record),
        "",
        *_from_json(record),
        "",
        *_to_json(record),
    ]
    return "\n".join(lines)


def _attribute(field: Field) -> str:
    start, made, end = default_of(field).partition("dataclasses.field(")
    line = f"    {field.name}: {annotation(field.type)}{start}{made}"
    if len(line) + len(end) <= _WIDTH or not made:
        return line + end
    return f"{line}\n        {end.removesuffix(')')}\n    )"


def _null_when_empty(record: Record) -> list[str]:
    keys = tuple(field.wire for field in record.fields if field.null_when_empty)
    return (
        ["", f"    _NULL_WHEN_EMPTY: ClassVar[Tuple[str, ...]] = {tuple_of(keys)}"] if keys else []
    )


def _docstring(record: Record) -> str:
    summary = record.doc or f"The payload `{record.name}`."
    text = textwrap.fill(summary, _WIDTH - 7)
    if record.fields:
        text += f"\n\nAttributes:\n{_attributes(record.fields, indent='')}\n"
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if text.startswith('"'):  # which must not run into the quotes of the docstring
        text = " " + text
    if text.endswith('"'):
        text = text[:-1] + '\\"'
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
    members = _known_members(record) if record.closed else "_members(value, path)"
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
        *(_argument(field) for field in record.fields),
        "        )",
    ]


def _known_members(record: Record) -> str:
    known = tuple(field.wire for field in record.fields)
    indent = " " * 12
    arguments = f"value, path, {tuple_of(known)}"
    if len(f"        members = _members({arguments})") <= _WIDTH:
        return f"_members({arguments})"
    if len(indent + arguments) <= _WIDTH:
        return f"_members(\n{indent}{arguments}\n        )"
    keys = "".join(f"{indent}    {literal(key)},\n" for key in known)
    return f"_members(\n{indent}value,\n{indent}path,\n{indent}(\n{keys}{indent}),\n        )"


def _argument(field: Field) -> str:
    indent = " " * 12
    reader, arguments = read(field)
    line = f"{indent}{field.name}={reader}({arguments}),"
    if len(line) <= _WIDTH:
        return line
    return f"{indent}{field.name}={reader}(\n{indent}    {arguments}\n{indent}),"


def _to_json(record: Record) -> list[str]:
    lines = [
        "    def to_json(self) -> Dict[str, Any]:",
        '        """Return it as JSON values, in the order of the wire."""',
    ]
    if not any(field.omitted_at_default for field in record.fields):
        entries = [f"            {literal(each.wire)}: {written(each)}," for each in record.fields]
        return [
            *lines,
            *(["        return {", *entries, "        }"] if entries else ["        return {}"]),
        ]
    lines.append("        members: Dict[str, Any] = {}")
    for field in record.fields:
        line = f"members[{literal(field.wire)}] = {written(field)}"
        # In free-form JSON, Python takes 1, 1.0 and true for equal, which they are not.
        is_free_number = isinstance(field.type, Anything) and isinstance(field.default, int | float)
        if field.omitted_at_default and not is_free_number:
            default = literal(field.default)
            lines += [f"        if {written(field)} != {default}:", f"            {line}"]
        else:
            lines.append(f"        {line}")
    return [*lines, "        return members"]


def _has_choice(protocol: Protocol) -> bool:
    annotations = (annotation(f.type) for record in protocol.records for f in record.fields)
    return any("Literal[" in annotation for annotation in annotations)
