"""Values as TOML has them, made into values that msgspec takes."""

import datetime as dt
import os
from collections.abc import Callable
from typing import Any, Protocol

from mist.config.node import ANY, Choice, Field, Items, Kind, Leaf, Node, Section, Table, fold
from mist.config.quantity import parse_duration, parse_size
from mist.config.secret import Secret
from mist.config.value import KeyPath, is_list, is_table

_DEEPEST = 100  # levels; also where a type contains itself
_TOO_DEEP = "nested too deeply"
WRONG: Any = object()  # stands for a value whose problem is known


class Report(Protocol):
    """Takes what is found on the way."""

    def wrong(self, node: Node, path: KeyPath, value: object, why: str) -> None:
        """A value does not fit, for a reason that its node does not tell."""

    def unknown(self, section: Section, path: KeyPath) -> None:
        """A key means nothing."""

    def twice(self, path: KeyPath, other: str) -> None:
        """A key is there in both spellings."""


def prepare(node: Node, value: Any, path: KeyPath, report: Report, base: str | None) -> Any:
    """A value with the keys of sections as the type spells them, and text in place of quantities read.

    What is wrong in other ways is left for later. The value itself is not changed.

    Args:
        node: what is wanted.
        value: what there is.
        path: where it is.
        report: takes unknown keys and what cannot be read; those values become `WRONG`.
        base: the directory that paths are relative to; None leaves them as they are.
    """
    if node.plain:
        return value
    match node:
        case Leaf():
            try:
                value = prepare_leaf(node, value, base)
            except ValueError as exc:
                report.wrong(node, path, value, str(exc))
                value = WRONG
        case Section() if is_table(value):
            value = _prepare_section(node, value, path, report, base)
        case Table() if is_table(value):
            value = {
                key: prepare(node.value, each, (*path, key), report, base)
                for key, each in value.items()
            }
        case Items() if is_list(value):
            value = [
                prepare(node.at(index) or ANY, each, (*path, index), report, base)
                for index, each in enumerate(value)
            ]
        case Choice():
            value = _prepare_choice(node, value, path, report, base)
        case _:
            pass  # another kind of value than is wanted, which msgspec refuses
    return value


def prepare_leaf(leaf: Leaf, value: Any, base: str | None = None) -> Any:
    """A single value, read where it is text for something else.

    Raises:
        ValueError: It cannot be read.
    """
    if isinstance(value, str) and leaf.kind in _READERS:
        return _READERS[leaf.kind](value, base)
    if leaf.kind == "timedelta" and isinstance(value, int | float) and not isinstance(value, bool):
        return _timedelta(value)
    return copied(value) if leaf.kind == "any" else value


def copied(value: Any, levels: int = _DEEPEST) -> Any:
    """A value whose tables and lists are its own.

    Raises:
        ValueError: There are more than so many levels.
    """
    if levels == 0:
        raise ValueError(_TOO_DEEP)
    if is_table(value):
        return {key: copied(each, levels - 1) for key, each in value.items()}
    if is_list(value):
        return [copied(each, levels - 1) for each in value]
    return value


def choose_section(node: Choice, value: Any) -> Section | None:
    """The member that a table is for: the only one, or the one whose tag it has."""
    sections = node.sections
    if len(sections) == 1:
        return sections[0]
    return next((each for each in sections if value.get(each.tag_field) == each.tag_value), None)


def field_of(section: Section, key: str) -> Field | None:
    """The field that a key means, in its own spelling or with `-` and `_` exchanged."""
    field = section.fields.get(key)
    if field is None and (known := section.folded.get(fold(key))) is not None:
        return section.fields[known]
    return field


def _prepare_section(
    section: Section, value: Any, path: KeyPath, report: Report, base: str | None
) -> Any:
    if len(path) > _DEEPEST:
        report.wrong(section, path, value, _TOO_DEEP)
        return WRONG
    prepared: dict[str, Any] = {}
    for key, each in value.items():
        field = section.fields.get(key) or field_of(section, str(key))
        if field is None:
            if key == section.tag_field:
                prepared[key] = each
            else:
                report.unknown(section, (*path, str(key)))
        elif key != field.key and field.key in value:
            report.twice((*path, key), field.key)
        elif field.node.plain:
            prepared[field.key] = each
        else:
            prepared[field.key] = prepare(field.node, each, (*path, field.key), report, base)
    return prepared


def _prepare_choice(
    node: Choice, value: Any, path: KeyPath, report: Report, base: str | None
) -> Any:
    if is_table(value):
        tables = (member for member in node.members if isinstance(member, Table))
        table = choose_section(node, value) or next(tables, None)
        return prepare(table, value, path, report, base) if table else value
    if is_list(value):
        lists = [member for member in node.members if isinstance(member, Items)]
        return prepare(lists[0], value, path, report, base) if lists else value
    for member in node.members:
        if isinstance(member, Leaf) and not member.plain:
            try:
                return prepare_leaf(member, value, base)
            except ValueError:
                # Another member may take the text as it is; if none does, msgspec says so.
                continue
    return value


def _path(text: str, base: str | None) -> Any:
    if not text or "\0" in text:
        raise ValueError("a path is not empty and has no null character")
    expanded = os.path.expanduser(text)  # noqa: PTH111  # a user without a home is no RuntimeError
    if expanded.startswith("~"):
        raise ValueError("that user has no home directory")
    import pathlib  # noqa: PLC0415  # takes long to load, and few have paths

    return pathlib.Path(os.path.join(base, expanded) if base else expanded)  # noqa: PTH118  # faster


def _timedelta(seconds: float) -> dt.timedelta:
    try:
        return dt.timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise ValueError("too long") from None


def _timedelta_text(text: str) -> Any:
    is_iso = text.lstrip("+-").startswith("P")  # ISO 8601, which msgspec reads
    return text if is_iso else _timedelta(parse_duration(text))


_READERS: dict[Kind, Callable[[str, str | None], Any]] = {
    "duration": lambda text, _: parse_duration(text),
    "path": _path,
    "secret": lambda text, _: Secret(text),
    "size": lambda text, _: parse_size(text),
    "timedelta": lambda text, _: _timedelta_text(text),
}
