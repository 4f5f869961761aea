"""The names and values that need no second look."""

import math
from collections.abc import Collection, Mapping
from typing import Any, cast

from mist.logging.record import RESERVED
from mist.logging.secrets import Secrets, Verdict

_REMEMBERED = 4096
_LONGEST = 256  # characters

# Types whose values every form writes as they are. Exact types: a subclass may do anything.
_SCALARS = frozenset({str, int, float, bool, type(None)})
_DEPTH = 3
_ITEMS = 64
_PAIR = 2


class Names:
    """Remembers which names are neither secret nor of a special meaning nor hard to write.

    Only so many are remembered, since names may come from data.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._plain: set[object] = set(RESERVED)

    def all_plain(self, fields: Mapping[Any, object]) -> bool:
        """Return whether all names of fields are plain."""
        return self._plain.issuperset(fields) or all(map(self._learn, fields))

    def all_plain_values(self, values: Collection[object], depth: int = 0) -> bool:
        """Return whether values are scalars, or lists and mappings of plain names and values."""
        if depth and len(values) > _ITEMS:
            return False
        if _SCALARS.issuperset(map(type, values)):
            return depth == 0 or all(map(_is_finite, values))
        return all(self._is_plain_value(it, depth) for it in values)

    def _is_plain_value(self, value: object, depth: int) -> bool:
        kind = type(value)
        if kind is float:
            return math.isfinite(cast("float", value))
        if kind in _SCALARS:
            return True
        if depth >= _DEPTH:
            return False
        if kind is dict:
            members = cast("dict[object, object]", value)
            return self.all_plain(members) and self.all_plain_values(members.values(), depth + 1)
        if kind is list or kind is tuple:
            # Two of them may be the name of a secret and the secret.
            items = cast("list[object]", value)
            return (depth == 0 or len(items) != _PAIR) and self.all_plain_values(items, depth + 1)
        return False

    def _learn(self, name: object) -> bool:
        plain = name in self._plain or self._is_plain(name)
        if plain and len(self._plain) < _REMEMBERED:
            self._plain.add(name)
        return plain

    def _is_plain(self, name: object) -> bool:
        return (
            type(name) is str
            and len(name) <= _LONGEST
            and name.isprintable()
            and name != "exc_info"
            and self._secrets.verdict(name) is Verdict.PLAIN
        )


def _is_finite(value: object) -> bool:
    return type(value) is not float or math.isfinite(value)
