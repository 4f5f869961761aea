"""A value as one line of JSON, as mist-go writes it."""

import json
import math
from collections.abc import Iterator
from typing import cast

from mist.output.errors import OutputError
from mist.output.text import JSON_ESCAPES


def _plain(value: object) -> object:
    from mist.output.values import plain  # noqa: PLC0415  # plain JSON does not need all it loads

    return plain(value)


_UTF8 = json.JSONEncoder(
    default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":")
).encode
_ASCII = json.JSONEncoder(separators=(",", ":")).encode


def json_line(value: object, *, ascii_only: bool = False) -> str:
    """Return `value` as JSON in one line, without the line's end.

    Keys keep their order. Lone surrogates, which UTF-8 cannot express, become U+FFFD.

    Args:
        value: Anything made of JSON's types, dataclasses, msgspec Structs, dates, enums and paths.
        ascii_only: Escape everything outside ASCII, for streams that cannot carry UTF-8.

    Raises:
        OutputError: if something in the value has no JSON form; it names the path.
    """
    try:
        text = _UTF8(value)
    except (TypeError, ValueError, RecursionError) as exc:
        raise _explained(value, exc) from None
    if not text.isprintable():
        text = text.translate(JSON_ESCAPES)
    if ascii_only and not text.isascii():
        text = _ASCII(json.loads(text))
    return text


def _explained(value: object, error: Exception) -> OutputError:
    try:
        path, reason = next(_faults(value, "$", frozenset()), ("$", str(error)))
    except RecursionError:
        path, reason = "$", "nested too deeply"
    return OutputError(reason, path)


def _faults(value: object, path: str, inside: frozenset[int]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of everything that JSON cannot express."""
    if value is None or isinstance(value, str | int):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            yield path, f"{value} is not a JSON number"
        return
    if id(value) in inside:
        yield path, "contains itself"
        return
    inside |= {id(value)}
    if isinstance(value, dict):
        yield from _faults_of_dict(cast("dict[object, object]", value), path, inside)
    elif isinstance(value, list | tuple):
        for at, item in enumerate(cast("list[object]", value)):
            yield from _faults(item, f"{path}[{at}]", inside)
    else:
        try:
            simpler = _plain(value)
        except (TypeError, ValueError) as exc:
            yield path, str(exc)
        else:
            yield from _faults(simpler, path, inside)


def _faults_of_dict(
    value: dict[object, object], path: str, inside: frozenset[int]
) -> Iterator[tuple[str, str]]:
    for key, member in value.items():
        at = f"{path}.{key}" if isinstance(key, str) and key.isidentifier() else f"{path}[{key!r}]"
        if isinstance(key, float) and not math.isfinite(key):
            yield at, "not a JSON key"
        elif key is not None and not isinstance(key, str | int | float):
            yield at, f"a key must be a string, not {type(key).__qualname__}"
        yield from _faults(member, at, inside)
