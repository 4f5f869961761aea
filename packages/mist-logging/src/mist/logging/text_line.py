"""A line as text, as Go's slog writes it: `key=value`, quoted where it must be."""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import cast

from mist.logging.timestamp import Timestamps, moment_text
from mist.logging.values import Members

_NEEDS_QUOTES = re.compile('[\x00-\x20"=\x7f\ufffd]')
_ODD = re.compile(r'["\\]|[^ -~]')
_SHORT_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_MICROSECOND = dt.timedelta(microseconds=1)


class Quoted(str):
    """Text that is quoted whatever it holds, as Go does with bytes."""

    __slots__ = ()


class TextForm:
    """Writes records as text; times have milliseconds, durations are `1.5s`, as in Go."""

    def clock(self, times: Timestamps) -> Callable[[], str]:
        """Return what tells the time with milliseconds."""
        return times.milliseconds

    def encode(self, record: Mapping[str, object]) -> bytes:
        """Return a record of plain values as text."""
        return " ".join([f"{_word(key)}={_value(record[key])}" for key in record]).encode()

    def large_integer(self, value: int) -> object:
        """Return the digits."""
        return str(value)

    def moment(self, value: dt.datetime) -> object:
        """Return RFC 3339, cut to milliseconds."""
        return moment_text(value, milliseconds=True)

    def duration(self, value: dt.timedelta) -> object:
        """Return hours, minutes and seconds."""
        return _duration(value // _MICROSECOND)

    def binary(self, value: bytes) -> object:
        """Return the bytes as quoted text."""
        return Quoted(value.decode("utf-8", "surrogateescape"))


def _value(value: object) -> str:
    if isinstance(value, Quoted):
        return _quoted(value)
    return _word(value if isinstance(value, str) else _printed(value))


def _printed(value: object) -> str:  # noqa: PLR0911  # one for each type
    """Return a value as Go's fmt prints it with `%+v`."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
        case Members():
            return f"{{{_pairs(value)}}}"
        case dict():
            members = cast("dict[str, object]", value)
            return f"map[{_pairs({key: members[key] for key in sorted(members)})}]"
        case list() | tuple():
            return f"[{' '.join(map(_printed, cast('list[object]', value)))}]"
        case Quoted():
            return _quoted(value)
        case _:
            return str(value)


def _pairs(members: Mapping[str, object]) -> str:
    return " ".join(f"{key}:{_printed(value)}" for key, value in members.items())


def _word(text: str) -> str:
    plain = text and text.isprintable() and not _NEEDS_QUOTES.search(text)
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    """Quote as Go's strconv.Quote does."""
    return f'"{_ODD.sub(_escaped, text)}"'


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    short = _SHORT_ESCAPES.get(char)
    if short or char.isprintable():
        return short or char
    code = ord(char)
    if code < 0x80:  # noqa: PLR2004  # the end of ASCII
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004  # a byte that is not UTF-8, as Python decodes it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  # the end of the BMP


def _float(number: float) -> str:
    """Format as Go's strconv does with 'g' and the fewest digits."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
    text = repr(number).removesuffix(".0")
    digits = text.partition("e")[0].lstrip("-").replace(".", "").strip("0")
    if not digits:
        return text
    scientific = f"{number:.{len(digits) - 1}e}"
    return text if -4 <= int(scientific.partition("e")[2]) < 6 else scientific  # noqa: PLR2004  # Go's bounds


def _duration(microseconds: int) -> str:
    """Format as Go's time.Duration does."""
    sign = "-" if microseconds < 0 else ""
    rest = abs(microseconds)
    if not rest:
        return "0s"
    if rest < 1000:  # noqa: PLR2004  # a millisecond
        return f"{sign}{rest}µs"
    if rest < 1_000_000:  # noqa: PLR2004  # a second
        return f"{sign}{_decimal(rest, 3)}ms"
    minutes, rest = divmod(rest, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{text}{_decimal(rest, 6)}s"


def _decimal(number: int, places: int) -> str:
    whole, part = divmod(number, 10**places)
    return f"{whole}.{part:0{places}d}".rstrip("0").removesuffix(".")
