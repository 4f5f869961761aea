"""Where and why a payload cannot be encoded: the slow, exact look after the fast one failed."""

import dataclasses
from collections.abc import Iterator, Mapping, Set
from enum import Enum
from typing import Any, Final, cast

import msgspec

MAX_DEPTH: Final = 500
"""Nesting that every supported interpreter encodes; only reached when encoding failed."""

_encode = msgspec.json.Encoder().encode


def find_fault(payload: Any) -> str | None:
    """Return what is wrong with the first value that has no JSON form, and its path.

    Paths are written as msgspec writes them: `$` is the payload, then `.key` and `[index]`.
    """
    # The containers between the root and the present value, innermost last.
    enclosing: list[tuple[int, Iterator[tuple[str, Any]]]] = []
    path: list[str] = ["$"]
    value = payload
    while True:
        reason, children = _examine(value, {identity for identity, _ in enclosing}, len(enclosing))
        if reason:
            return f"{reason} - at `{_shorten(path)}`"
        enclosing.append((id(value), children))
        path.append("")
        while enclosing:
            step = next(enclosing[-1][1], None)
            if step is not None:
                path[-1], value = step
                break
            enclosing.pop()
            path.pop()
        else:
            return None


def _examine(
    value: Any, enclosing: set[int], depth: int
) -> tuple[str | None, Iterator[tuple[str, Any]]]:
    """Return the fault of this one value, or None, and the values inside it."""
    nothing: Iterator[tuple[str, Any]] = iter(())
    if id(value) in enclosing:
        return "a value that contains itself has no JSON form", nothing
    if depth > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH} levels", nothing
    if isinstance(value, Set):
        return f"a {type(value).__name__} has no JSON form, pass a list", nothing
    children = _children(value)
    if children is not None:
        return None, children
    return _leaf_fault(value), nothing


def _children(value: Any) -> Iterator[tuple[str, Any]] | None:
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        return ((f"[{k!r}]" if not isinstance(k, str) else f".{k}", v) for k, v in mapping.items())
    if isinstance(value, (list, tuple)):
        return ((f"[{i}]", item) for i, item in enumerate(cast("list[Any]", value)))
    if isinstance(value, msgspec.Struct):
        return ((f".{name}", getattr(value, name)) for name in value.__struct_fields__)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return ((f".{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value))
    return None


def _leaf_fault(value: Any) -> str | None:
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, float) and plain - plain != 0.0:
        return f"{plain!r} has no JSON form, pass None"
    if isinstance(plain, int) and not -(1 << 63) <= plain < 1 << 64:
        return f"an integer of {plain.bit_length()} bits does not fit 64, pass a string"
    try:
        _encode(value)
    except (TypeError, ValueError, OverflowError) as exc:
        return str(exc)
    return None


def _shorten(path: list[str], keep: int = 12) -> str:
    if len(path) <= 2 * keep:
        return "".join(path)
    return "".join([*path[:keep], "...", *path[-keep:]])
