"""Text from a variable or a flag, read as what its field wants."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from mist.config.node import Choice, Items, Kind, Leaf, Node, Section, Table
from mist.config.prepare import prepare_leaf

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
# As TOML writes them; a leading zero is no octal number and no decimal one, but a mistake.
_INT = re.compile(
    r"[+-]?(?:0|[1-9](?:_?[0-9])*)|0x[0-9a-fA-F](?:_?[0-9a-fA-F])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*"
)
_SURROGATE = re.compile("[\ud800-\udfff]")  # how Python has bytes that are not UTF-8
_TEXTUAL = frozenset({"any", "path", "secret", "text"})


def read_text(node: Node, text: str) -> Any:
    """The value that a text means, as TOML would have it.

    Args:
        node: what the field wants.
        text: as the variable or the flag has it.

    Raises:
        ValueError: It means none; the text is "" where what is expected says it all.
    """
    match node:
        case Leaf():
            return _read_leaf(node, text)
        case Items():
            return _read_items(node, text)
        case Choice():
            return _read_choice(node, text)
        case _:
            return _read_json(text, "{")


def _read_leaf(leaf: Leaf, text: str) -> Any:
    if leaf.kind != "path" and not text.isascii() and _SURROGATE.search(text):
        raise ValueError("not UTF-8")
    read = _READERS.get(leaf.kind)
    if read:
        return read(text.strip())
    if leaf.kind in ("choice", "tag"):
        return _read_name(leaf, text)
    return text if leaf.kind in _TEXTUAL else text.strip()


def _read_bool(word: str) -> bool:
    if word.lower() not in _TRUE | _FALSE:
        raise ValueError
    return word.lower() in _TRUE


def _read_int(word: str) -> int:
    if not _INT.fullmatch(word):
        raise ValueError
    return int(word, 0)


def _read_none(word: str) -> None:
    if word not in ("", "null"):
        raise ValueError


def _read_float(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ValueError from None


def _read_name(leaf: Leaf, text: str) -> Any:
    for choice in leaf.choices:
        if text == choice:
            return choice
    for choice in leaf.choices:
        if not isinstance(choice, str) and text.strip() == str(choice):
            return choice
    raise ValueError


def _read_items(node: Items, text: str) -> Any:
    if text.lstrip().startswith("["):
        return _read_json(text, "[")
    if any(not isinstance(each, Leaf | Choice) for each in (node.item, *node.positions) if each):
        raise ValueError("write it as a JSON array")
    parts = text.split(",")
    if not parts[-1].strip():
        parts.pop()  # nothing at all, or the comma behind the last
    read: list[Any] = []
    for index, part in enumerate(parts):
        item = node.at(index)
        read.append(part.strip() if item is None else read_text(item, part.strip()))
    return read


def _read_choice(node: Choice, text: str) -> Any:
    members = [each for each in node.members if not _is_none(each)]
    if len(members) < len(node.members):
        wants_text = any(isinstance(each, Leaf) and each.kind in _TEXTUAL for each in members)
        if text.strip() == "null" or (not text.strip() and not wants_text):
            return None
    for opening, kinds in (("{", (Section, Table)), ("[", (Items,))):
        if text.lstrip().startswith(opening) and any(isinstance(m, kinds) for m in members):
            return _read_json(text, opening)
    for member in sorted(members, key=_rank):
        try:
            value = read_text(member, text)
            if isinstance(member, Leaf):
                msgspec.convert(prepare_leaf(member, value), member.type)
        except (ValueError, msgspec.ValidationError):
            continue
        return value
    raise ValueError


def _is_none(member: Node) -> bool:
    return isinstance(member, Leaf) and member.kind == "none"


def _rank(member: Node) -> int:
    """The stricter a member, the sooner it is tried."""
    if not isinstance(member, Leaf):
        return 3
    return {"int": 0, "float": 0, "any": 2, "text": 2}.get(member.kind, 1)


def _read_json(text: str, opening: str) -> Any:
    what = "a JSON object" if opening == "{" else "a JSON array"
    if not text.lstrip().startswith(opening):
        raise ValueError(f"write it as {what}")
    try:
        return msgspec.json.decode(text.encode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (ValueError, msgspec.DecodeError) as exc:
        # msgspec tells the place, and nothing of what stands there.
        raise ValueError(f"not {what}: {exc}") from None


_READERS: dict[Kind, Callable[[str], Any]] = {
    "bool": _read_bool,
    "float": _read_float,
    "int": _read_int,
    "none": _read_none,
}
