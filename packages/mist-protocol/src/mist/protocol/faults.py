"""Where and why a payload cannot be encoded: the slow, exact look after the fast one failed."""

import reprlib
from collections.abc import Iterable, Iterator, Sequence, Set
from enum import Enum
from typing import Any, Final, TypeGuard

import msgspec

MAX_KEY_SHOWN: Final = 40
"""The longest key that an error shows in full, in characters."""

MAX_DEPTH: Final = 500
"""Nesting that every supported interpreter encodes; only looked at when encoding failed."""

INT_MIN: Final = -(1 << 63)
INT_MAX: Final = (1 << 64) - 1
"""From the least signed to the largest unsigned integer of 64 bits."""

UNENCODABLE: Final = (
    TypeError,  # no JSON form
    ValueError,  # a lone surrogate, a key of too many digits, malformed ready-made JSON
    OverflowError,
    AttributeError,  # a Struct's field that was deleted
    RecursionError,
    msgspec.MsgspecError,
)
"""What encoding raises for a value that cannot be encoded."""

_encode = msgspec.json.Encoder().encode


def find_fault(payload: Any) -> str | None:
    """Return what is wrong with the first value that has no faithful JSON form, and its path.

    Paths are written as msgspec writes them: `$` is the payload, then `.key` and `[index]`.
    """
    # The containers between the root and the present value, innermost last.
    enclosing: list[tuple[int, Iterator[tuple[Any, Any]]]] = []
    path: list[str] = ["$"]
    value = payload
    while True:
        while isinstance(value, Enum):
            value = value.value
        reason = _fault_here(value, {identity for identity, _ in enclosing}, len(enclosing))
        if reason:
            return f"{reason} `{_shorten(path)}`"
        enclosing.append((id(value), children(value) or iter(())))
        path.append("")
        while enclosing:
            step = next(enclosing[-1][1], None)
            if step is not None:
                key, value = step
                path[-1] = _path_step(key)
                break
            enclosing.pop()
            path.pop()
        else:
            return None


def children(value: Any) -> Iterator[tuple[Any, Any]] | None:
    """Return the values inside a container that msgspec encodes, each with its key or index."""
    if _is_mapping(value):
        return iter(value.items())
    if _is_sequence(value):
        return enumerate(value)
    names = _field_names(value)
    return None if names is None else ((name, getattr(value, name, None)) for name in names)


def _is_mapping(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _field_names(value: object) -> Iterable[str] | None:
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    cls: Any = type(value)
    if hasattr(cls, "__dataclass_fields__"):
        # Only who has a dataclass pays for the import, which has been made by then.
        from dataclasses import fields  # noqa: PLC0415  # see above

        return [field.name for field in fields(cls)]
    # How attrs marks its classes; in any other object there is nothing to look into.
    marked: Iterable[Any] | None = getattr(cls, "__attrs_attrs__", None)
    return None if marked is None else [field.name for field in marked]


def _fault_here(value: Any, enclosing: set[int], depth: int) -> str | None:
    """Return the fault of this one value, what is inside it aside, up to the path's place."""
    reason: str | None
    if id(value) in enclosing:
        reason = "a value that contains itself has no JSON form"
    elif depth > MAX_DEPTH:
        reason = f"nested deeper than {MAX_DEPTH} levels"
    elif _is_mapping(value):
        return _key_fault(value)
    elif children(value) is not None:
        return None
    else:
        reason = _leaf_fault(value)
    return f"{reason} - at" if reason else None


def _key_fault(mapping: dict[Any, Any]) -> str | None:
    for key in mapping:
        try:
            _encode({key: None})
        except UnicodeEncodeError:
            reason = "a lone surrogate has no UTF-8 form"
        except UNENCODABLE:
            reason = f"a key of type {type(key).__name__} has no JSON form, pass a string"
        else:
            continue
        return f"{reason} - at key `{_show(key)}` in"
    return None


def _leaf_fault(value: object) -> str | None:
    name = type(value).__name__
    if isinstance(value, Set):
        return f"a {name} has no JSON form, pass a list"
    if isinstance(value, msgspec.Raw):
        return _raw_fault(value)
    return _number_fault(value) or _encoding_fault(value)


def _number_fault(value: object) -> str | None:
    if isinstance(value, float) and value - value != 0.0:
        return f"{value!r} has no JSON form, pass None"
    if isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        return "an integer out of the 64-bit range, pass a string"
    return None


def _encoding_fault(value: object) -> str | None:
    try:
        _encode(value)
    except UnicodeEncodeError:
        return "a lone surrogate has no UTF-8 form"
    except UNENCODABLE as exc:
        return str(exc)
    return None


def _raw_fault(raw: msgspec.Raw) -> str | None:
    try:
        msgspec.json.format(bytes(raw)).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        return f"a Raw that is not JSON ({exc})"
    return None


def _path_step(key: Any) -> str:
    if isinstance(key, str) and key and key.isprintable():
        return f".{_show(key)}"
    return f"[{_show(key)}]"


def _show(key: Any) -> str:
    """Write a key in a few printable characters."""
    if isinstance(key, str) and key and key.isprintable():
        return key if len(key) <= MAX_KEY_SHOWN else f"{key[:20]}...{key[-17:]}"
    try:
        return reprlib.repr(key)
    except ValueError:  # an integer of more digits than Python cares to write
        return type(key).__name__


def _shorten(path: list[str], keep: int = 12) -> str:
    if len(path) <= 2 * keep:
        return "".join(path)
    return "".join([*path[:keep], "...", *path[-keep:]])
