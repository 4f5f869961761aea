"""Plain values, as TOML has them: what they are, and how a person is shown them."""

import datetime as dt
import decimal
import enum
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from mist.config.secret import MASK, Secret, without_userinfo

KeyPath = tuple[str | int, ...]  # keys, and positions in lists, from the root

NOTHING: Any = object()

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 80  # characters of a value in a message


def is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value has keys."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value is a list, or what a program has in its place."""
    return isinstance(value, list | tuple | set | frozenset)


def at(tree: Any, path: KeyPath) -> Any:
    """What stands at a path of tables and lists; `NOTHING` where there is nothing."""
    for step in path:
        if isinstance(step, str) and is_table(tree) and step in tree:
            tree = tree[step]
        elif isinstance(step, int) and is_list(tree) and step < len(tree):
            tree = list(tree)[step]
        else:
            return NOTHING
    return tree


def dotted(path: KeyPath) -> str:
    """A path as a person writes it: `db.hosts[0]."odd key"`; "" for the root."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        key = step if _BARE.fullmatch(step) else printable(quoted(step))
        text += f".{key}" if text else key
    return text


def quoted(text: str) -> str:
    """Text in double quotes, as TOML and JSON have it, cut where it is long."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'


def printable(text: str) -> str:
    """Text on one line, with nothing in it that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def shown(value: object, *, secret: bool = False) -> str:
    """A value for a message: what it is, cut where it is long, masked where it is secret.

    Tables and lists are never spelled out: there may be secrets in them.
    """
    if is_table(value):
        return "a table"
    if is_list(value):
        return f"a list of {len(value)}"
    if value is not None and secret:
        return MASK
    if isinstance(value, enum.Enum):
        return shown(value.value)
    if isinstance(value, str) or hasattr(value, "__fspath__"):
        return printable(quoted(without_userinfo(str(value))))
    return _word(value)


def _word(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > 4 * _LONGEST:
        return "a number of very many digits"
    if isinstance(value, int | float | decimal.Decimal | dt.timedelta | uuid.UUID | Secret):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    return f"an object of class {type(value).__name__}"
