"""Any value in terms of plain ones, whatever it does when it is looked at."""

import datetime as dt
import enum
import math
import numbers
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, cast

from mist.logging.exceptions import exception_text
from mist.logging.members import members_of
from mist.logging.secrets import MASK, Secrets, without_userinfo

_DEPTH = 32
_KEY = 256  # characters
_URL = 2048  # characters
_PAIR = 2
_ITEM = 8  # what a member takes of the room, beside its text
_INTEGERS = range(-(1 << 63), 1 << 64)


_T = TypeVar("_T")
_Kinds: TypeAlias = type | tuple[type, ...]


class Members(dict[str, object]):
    """The fields of an object, where a form tells an object from a mapping."""


class Leaves(Protocol):
    """How a form writes the values that it has an own way for."""

    def large_integer(self, value: int) -> object:
        """Return the form of an integer of more than 64 bits."""
        ...

    def moment(self, value: dt.datetime) -> object:
        """Return the form of a date and time."""
        ...

    def duration(self, value: dt.timedelta) -> object:
        """Return the form of a duration."""
        ...

    def binary(self, value: bytes) -> object:
        """Return the form of bytes."""
        ...


class Plain:
    """Reduces values to None, bool, int, finite float, str, list and dict, with secrets masked.

    What cannot be shown is replaced by a note that starts with `!ERROR:`, in its place.

    Args:
        leaves: The form's own values.
        secrets: The names under which values are masked.
        room: How many characters all values together may take; what exceeds it is cut off.
    """

    def __init__(self, leaves: Leaves, secrets: Secrets, room: int) -> None:
        self._leaves = leaves
        self._secrets = secrets
        self._longest = room // 4
        self._room = room
        self._inside: set[int] = set()

    @property
    def is_full(self) -> bool:
        """Whether there is no more room."""
        return self._room <= 0

    def field(self, name: str, value: object) -> object:
        """Return the plain form of a field, which takes half of the room that is left at most."""
        kept = self._room - self._room // 2
        self._room -= kept
        shown = self._member(name, value)
        self._room += kept
        return shown

    def _member(self, name: str, value: object) -> object:
        if self._secrets.hides(name, value):
            return MASK
        return self.value(value)

    def value(self, value: object) -> object:
        """Return the plain form of a value."""
        self._room -= _ITEM
        if value is None or value is True or value is False:
            return value
        try:
            if type(value) is str:
                return self.text(value)
            return self._reduced(value)
        except RecursionError:
            return "!ERROR: nested too deeply"
        except KeyboardInterrupt:
            raise
        except BaseException as failure:  # noqa: BLE001  # whatever it raises, the line must come out
            return self.text(f"!ERROR: {_type_name(value)} raised {_described(failure)}")

    def message(self, value: object) -> str:
        """Return what a line says: text, or the text of something else."""
        shown = value if type(value) is str else self.value(value)
        return self.text(shown)

    def text(self, value: object) -> str:
        """Return a value's text, cut to the room there is, and fit for UTF-8."""
        text = value if type(value) is str else str.__str__(str(value))
        most = max(0, min(self._longest, self._room))
        # Masked before it is cut, since half a URL does not show that it holds a password.
        shown = without_userinfo(_encodable(text[: most + _URL]))
        if len(text) > most:
            shown = f"{shown[:most]}... ({len(text)} characters)"
        self._room -= len(shown)
        return shown

    def key(self, key: object) -> str:
        """Return the name that a mapping's key stands for."""
        if isinstance(key, enum.Enum):
            key = key.value
        if isinstance(key, str):
            name = str.__str__(key)
        elif isinstance(key, bytes):
            name = key.decode("utf-8", "backslashreplace")
        elif key is None or isinstance(key, bool):
            name = {None: "null", True: "true", False: "false"}[key]
        else:
            name = self._text_of_key(key)
        if len(name) > _KEY:
            name = f"{name[:_KEY]}..."
        self._room -= len(name)
        return _encodable(name)

    def _text_of_key(self, key: object) -> str:
        try:
            return str(key)
        except KeyboardInterrupt:
            raise
        except BaseException as failure:  # noqa: BLE001  # whatever it raises, the line must come out
            return f"!ERROR: {_type_name(key)} raised {_described(failure)}"

    def _reduced(self, value: object) -> object:
        for kinds, reduce in self._reductions:
            if isinstance(value, kinds):
                return reduce(self, value)
        members = members_of(value)
        if members is None:
            return self.text(value)
        return self._within(value, lambda: Members(self._named(members)))

    def _scalar(self, value: str | float) -> object:
        # By the base classes' methods: those of a subclass may do anything.
        if isinstance(value, str):
            return self.text(str.__str__(value))
        if isinstance(value, float):
            number = float.__mul__(value, 1.0)
            if math.isfinite(number):
                return number
            return "NaN" if math.isnan(number) else f"{'+' if number > 0 else '-'}Inf"
        integer = int.__add__(value, 0)
        return integer if integer in _INTEGERS else self._leaves.large_integer(integer)

    def _mapping(self, value: Mapping[object, object]) -> object:
        return self._within(value, lambda: dict(self._named(value.items(), len(value))))

    def _items(self, value: Collection[object]) -> object:
        members = members_of(value)
        if members is not None:
            return self._within(value, lambda: Members(self._named(members)))
        return self._within(value, lambda: list(self._listed(value)))

    def _bytes(self, value: bytes | bytearray | memoryview) -> object:
        size = memoryview(value).nbytes
        most = max(0, min(self._longest, self._room) // 2)
        if size > most:
            return f"!ERROR: {size} bytes are too many to log"
        self._room -= size * 2
        return self._leaves.binary(bytes(value))

    def _exception(self, value: BaseException) -> object:
        return self.text(exception_text(value))

    def _moment(self, value: dt.datetime) -> object:
        return self._leaves.moment(value)

    def _duration(self, value: dt.timedelta) -> object:
        return self._leaves.duration(value)

    def _date(self, value: dt.date | dt.time) -> object:
        return value.isoformat()

    def _enum(self, value: enum.Enum) -> object:
        return self.value(value.value)

    def _path(self, value: os.PathLike[str] | os.PathLike[bytes]) -> object:
        return self.text(os.fsdecode(value))

    def _integral(self, value: numbers.Integral) -> object:
        return self._scalar(int(value))

    def _real(self, value: numbers.Real) -> object:
        return self._scalar(float(value))

    # The first that fits applies: IntEnum comes before int, bytes before sequences. Decimal is a
    # Number but no Real, so that its text is shown, which is exact.
    _reductions: ClassVar[tuple[tuple[_Kinds, Callable[[Any, Any], object]], ...]] = (
        (enum.Enum, _enum),
        ((str, int, float), _scalar),
        (BaseException, _exception),
        ((bytes, bytearray, memoryview), _bytes),
        (Mapping, _mapping),
        ((list, tuple, Set, Sequence), _items),
        (dt.datetime, _moment),
        (dt.timedelta, _duration),
        ((dt.date, dt.time), _date),
        (os.PathLike, _path),
        (numbers.Integral, _integral),
        (numbers.Real, _real),
    )

    def _within(self, value: object, reduce: Callable[[], object]) -> object:
        """Reduce a container, unless it contains itself or lies too deep."""
        if id(value) in self._inside:
            return f"!ERROR: this {_type_name(value)} contains itself"
        if len(self._inside) >= _DEPTH:
            return f"!ERROR: nested deeper than {_DEPTH}"
        self._inside.add(id(value))
        try:
            return reduce()
        finally:
            self._inside.discard(id(value))

    def _named(
        self, members: Iterable[tuple[object, object]], count: int | None = None
    ) -> Iterator[tuple[str, object]]:
        used: set[str] = set()
        for at, (key, value) in enumerate(self._snapshot(members)):
            if self._room <= 0:
                yield unused("...", used), left_out(None if count is None else count - at)
                return
            name = unused(self.key(key), used)
            used.add(name)
            yield name, self._member(name, value)

    def _snapshot(self, items: Iterable[_T]) -> list[_T]:
        """Return the items that may fit and some more, before another thread can change them."""
        return list(islice(items, max(0, self._room) // _ITEM + 2))

    def _listed(self, value: Collection[object]) -> Iterator[object]:
        for at, item in enumerate(self._snapshot(value)):
            if self._room <= 0:
                yield left_out(len(value) - at)
                return
            name = _name_of_pair(item)
            if name is not None and self._secrets.hides(name, cast("Sequence[object]", item)[1]):
                yield [self.text(name), MASK]
            else:
                yield self.value(item)


def _encodable(text: str) -> str:
    """Return `text` with lone surrogates, which UTF-8 has no bytes for, replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def unused(name: str, used: Iterable[str]) -> str:
    """Return `name`, with as many underscores behind it as make it differ from those used."""
    while name in used:
        name += "_"
    return name


def _name_of_pair(item: object) -> str | None:
    """Return the name in a `(name, value)` pair, as lists of headers hold them."""
    if not issubclass(type(item), tuple | list) or len(cast("Sequence[object]", item)) != _PAIR:
        return None
    first = cast("Sequence[object]", item)[0]
    if isinstance(first, bytes):
        return first[:_KEY].decode("ascii", "replace")
    return str.__str__(first)[:_KEY] if isinstance(first, str) else None


def left_out(count: int | None) -> str:
    """Return the note for what there was no room for."""
    return f"!ERROR: {'the rest' if count is None else f'{count} more'} left out"


def _type_name(value: object) -> str:
    return type(value).__qualname__


def _described(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {exception_text(failure)}"[:_KEY]
