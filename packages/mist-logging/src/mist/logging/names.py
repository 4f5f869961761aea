"""The names and values that need no second look."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from mist.logging.record import RESERVED
from mist.logging.secrets import Secrets, Verdict
from mist.logging.values import is_finite

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
            return depth == 0 or all(map(is_finite, values))
        return all(self._is_plain_value(it, depth) for it in values)

    def _is_plain_value(self, value: object, depth: int) -> bool:
        kind = type(value)
        if kind in _SCALARS:
            return is_finite(value)
        if depth >= _DEPTH:
            return False
        if kind is dict:
            members = cast("dict[object, object]", value)
            return self.all_plain(members) and self.all_plain_values(members.values(), depth + 1)
        if kind is list or kind is tuple:
            items = cast("list[object]", value)
            if len(items) == _PAIR and type(items[0]) is str:
                return False  # it may be the name of a secret and the secret
            return self.all_plain_values(items, depth + 1)
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
