"""JSON as the standard library reads it, strictly: the second opinion of the targets."""

import json
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
    """Tell how deep a value is nested, without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [child for each in level for child in _children(each)]
    return deepest


def has_lone_surrogate(value: object) -> bool:
    """Tell whether any text in a value has half of a surrogate pair."""
    level = [value]
    while level:
        for each in level:
            texts = [each] if isinstance(each, str) else _keys(each)
            if any("\ud800" <= char <= "\udfff" for text in texts for char in text):
                return True
        level = [child for each in level for child in _children(each)]
    return False


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []


def _keys(value: object) -> list[str]:
    return list(cast("dict[str, object]", value)) if isinstance(value, dict) else []


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise NotJsonError("a key is there twice", is_doubtful=True)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
