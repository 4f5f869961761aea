"""The names of fields that need no second look."""

from collections.abc import Mapping

from mist.logging.record import RESERVED
from mist.logging.secrets import Secrets, Verdict

_REMEMBERED = 4096
_LONGEST = 256  # characters


class Names:
    """Remembers which names are neither secret nor of a special meaning nor hard to write.

    Only so many are remembered, since names may come from data.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._plain: set[object] = set(RESERVED)

    def all_plain(self, fields: Mapping[str, object]) -> bool:
        """Return whether all names of fields are plain."""
        return self._plain.issuperset(fields) or all(map(self._learn, fields))

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
