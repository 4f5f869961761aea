"""JSON as the standard library reads it, strictly: the second opinion of the targets."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, cast

SAFE_DEPTH = 500
"""How deep a value may be nested so that every interpreter reads and writes it."""


class NotJsonError(ValueError):
    """The text is no JSON, or none that the standard library reads.

    Attributes:
        is_doubtful: Whether it is only for a limit of Python's, or text that is no Unicode.
    """

    def __init__(self, reason: object, *, is_doubtful: bool = False) -> None:
        super().__init__(str(reason))
        self.is_doubtful = is_doubtful


def loads(data: bytes, *, unique: bool = False) -> Any:
    """Read a document; of two equal keys the last one counts.

    Args:
        data: The document.
        unique: Whether equal keys make it doubtful: readers may look at each of them.

    Raises:
        NotJsonError: It is none.
    """
    text = data.decode("utf-8", "replace")
    try:
        value = json.loads(
            text, parse_constant=_refuse, object_pairs_hook=_distinct if unique else None
        )
    except RecursionError as exc:
        raise NotJsonError("nested deeply", is_doubtful=True) from exc
    except NotJsonError:
        raise
    except ValueError as exc:
        # An integer of more digits than Python converts.
        raise NotJsonError(exc, is_doubtful="integer string conversion" in str(exc)) from exc
    if depth(value) > SAFE_DEPTH or has_lone_surrogate(value) or not is_utf8(data):
        raise NotJsonError("nested deeply, or no Unicode", is_doubtful=True)
    return value


def is_utf8(data: bytes) -> bool:
    """Tell whether bytes are a text in UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def depth(value: object) -> int:
    """Tell how deep a value is nested."""
    return sum(1 for _ in _levels(value))


def parts(value: object) -> Iterator[object]:
    """Give a value and all that is in it, keys included."""
    for level in _levels(value):
        for each in level:
            yield each
            yield from as_object(each) or ()


def has_lone_surrogate(value: object) -> bool:
    """Tell whether any text in a value has half of a surrogate pair."""
    texts = (each for each in parts(value) if isinstance(each, str))
    return any("\ud800" <= char <= "\udfff" for text in texts for char in text)


def as_object(value: object) -> dict[str, Any] | None:
    """Return a value that is a JSON object, None for another."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _levels(value: object) -> Iterator[list[object]]:
    """Give what is nested equally deep, from the outside inwards, without recursion."""
    level = [value]
    while level:
        yield level
        level = [child for each in level for child in _children(each)]


def _children(value: object) -> Iterable[object]:
    if isinstance(value, list):
        return cast("list[object]", value)
    return (as_object(value) or {}).values()


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise NotJsonError("a key is there twice", is_doubtful=True)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
