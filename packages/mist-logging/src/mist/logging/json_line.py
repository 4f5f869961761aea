"""A line as JSON, as Go's slog writes it."""

import base64
import datetime as dt
import math
import re
from collections.abc import Callable, Mapping

import msgspec

from mist.logging.timestamp import Timestamps, moment_text

# Characters that steer a terminal or reorder what it shows: DEL, the C1 controls, U+2028 and
# U+2029, bidirectional embeddings, overrides and isolates (Unicode UAX #9). JSON lets them pass.
_UNSAFE = (*range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {code: f"\\u{code:04x}" for code in _UNSAFE}
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

_MICROSECOND = dt.timedelta(microseconds=1)


class JSONForm:
    """Writes records as JSON objects; durations are nanoseconds, bytes base64, as in Go."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode

    def clock(self, times: Timestamps) -> Callable[[], str]:
        """Return what tells the time with nanoseconds."""
        return times.nanoseconds

    def encode(self, record: Mapping[str, object]) -> bytes:
        """Return a record of plain values as JSON.

        Raises:
            Exception: if a value has no JSON form.
        """
        line = self._encode(record)
        if b"null" in line and not all(map(_is_finite, record.values())):
            raise ValueError("NaN and infinity are no JSON numbers")
        if line.isascii():
            return line.replace(b"\x7f", b"\\u007f") if b"\x7f" in line else line
        text = line.decode()
        return line if text.isprintable() else text.translate(_ESCAPES).encode()

    def large_integer(self, value: int) -> object:
        """Return the digits: JSON's numbers have no bound, but msgspec's may have."""
        return msgspec.Raw(str(value).encode())

    def moment(self, value: dt.datetime) -> object:
        """Return RFC 3339."""
        return moment_text(value)

    def duration(self, value: dt.timedelta) -> object:
        """Return nanoseconds."""
        return value // _MICROSECOND * 1000

    def binary(self, value: bytes) -> object:
        """Return base64."""
        return base64.b64encode(value).decode("ascii")


def _is_finite(value: object) -> bool:
    return type(value) is not float or math.isfinite(value)


def ascii_line(text: str) -> str:
    """Return a line with all outside ASCII as JSON's escapes, for writers that lack UTF-8."""
    return _BEYOND_ASCII.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
