"""Where each value of a configuration comes from."""

import dataclasses
import enum
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mist.config.node import ANY, Choice, Items, Node, Section, Table, conceals, constructor
from mist.config.origin import Origin
from mist.config.plain import fitting
from mist.config.provenance import recall
from mist.config.schema import schema
from mist.config.secret import MASK
from mist.config.value import KeyPath, dotted, is_list, is_table, shown


class Setting(msgspec.Struct, frozen=True):
    """One value, as it may be shown.

    Attributes:
        path: dotted, as the keys are in the file.
        value: as text; `***` where it is secret.
        origin: where it comes from.
    """

    path: str
    value: str
    origin: Origin


class Explanation(msgspec.Struct, frozen=True):
    """Every value of a configuration with its origin; `str()` is a table for people.

    Attributes:
        settings: in the order of the type's fields.
    """

    settings: tuple[Setting, ...]

    def __iter__(self) -> Iterator[Setting]:
        return iter(self.settings)

    def __len__(self) -> int:
        return len(self.settings)

    def __getitem__(self, path: str) -> Setting:
        """The setting of that dotted path.

        Raises:
            KeyError: There is none.
        """
        for setting in self.settings:
            if setting.path == path:
                return setting
        raise KeyError(path)

    def __str__(self) -> str:
        """A line for each: path, value, origin."""
        return columns([(each.path, each.value, str(each.origin)) for each in self.settings])


def explain(obj: object) -> Explanation:
    """Tell where each value of a configuration comes from; secrets are masked.

    Args:
        obj: what `load` or `decode` returned; the last 32 of these are known. The values of any
            other Struct or dataclass are from `code`.

    Raises:
        ConfigTypeError: It is no Struct and no dataclass.
    """
    provenance = recall(obj)
    root = provenance.root if provenance else schema(type(obj))
    return Explanation(
        tuple(
            Setting(
                path=dotted(path),
                value=display(node, value, path),
                origin=provenance.origin(path) if provenance else Origin("code"),
            )
            for path, node, value in _walk(root, obj, ())
        )
    )


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as lines, with all columns but the last padded to one width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _walk(node: Node, value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Node, Any]]:
    """Every single value, and every list of them, with its path and what it should be."""
    if isinstance(node, Choice):
        node = fitting(node, value) or node
    if isinstance(node, Section) and isinstance(value, constructor(node)):
        for key, field in node.fields.items():
            yield from _walk(field.node, getattr(value, field.name, None), (*path, key))
    elif is_table(value) and value:
        inner = node.value if isinstance(node, Table) else ANY
        for key, each in value.items():
            name = str(key.value if isinstance(key, enum.Enum) else key)
            yield from _walk(inner, each, (*path, name))
    elif is_list(value) and any(_has_parts(each) for each in value):
        for index, each in enumerate(value):
            item = node.at(index) if isinstance(node, Items) else None
            yield from _walk(item or ANY, each, (*path, index))
    else:
        yield path, node, value


def _has_parts(value: object) -> bool:
    return is_table(value) or isinstance(value, msgspec.Struct) or dataclasses.is_dataclass(value)


def display(node: Node, value: Any, path: KeyPath) -> str:
    """A value as it may be shown to anybody.

    Args:
        node: what it should be.
        value: a single value, or a list of them.
        path: where it is; a telling name conceals it.
    """
    secret = conceals(node, path, value)
    if is_table(value):
        return "{}"  # one that is not empty is shown by its keys
    if is_list(value) and not secret:
        return f"[{', '.join(shown(each) for each in value)}]"
    return MASK if secret and value is not None else shown(value)
