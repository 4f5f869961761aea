"""Moments as mist-go's log writes them: RFC 3339 in local time."""

import datetime as dt
import time
from collections.abc import Callable

_SECOND = 1_000_000_000  # nanoseconds


class Timestamps:
    """The time of each line; the part that changes once a second is kept.

    Args:
        clock: Returns nanoseconds since 1970, UTC, as `time.time_ns` does.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._second: tuple[int, str, str] = (-1, "", "")

    def nanoseconds(self) -> str:
        """Return the present time as RFC 3339 with nanoseconds, less their trailing zeros."""
        second, rest = divmod(self._clock(), _SECOND)
        known = self._second
        if known[0] != second:
            known = self._renewed(second)
        if not rest:
            return known[1] + known[2]
        return f"{known[1]}.{rest:09d}".rstrip("0") + known[2]

    def milliseconds(self) -> str:
        """Return the present time as RFC 3339, cut to milliseconds."""
        second, rest = divmod(self._clock(), _SECOND)
        known = self._second
        if known[0] != second:
            known = self._renewed(second)
        return f"{known[1]}.{rest // 1_000_000:03d}{known[2]}"

    def _renewed(self, second: int) -> tuple[int, str, str]:
        # Replaced as a whole, so that threads see one second or the other.
        known = self._second = (second, *_in_words(second))
        return known


def _in_words(second: int) -> tuple[str, str]:
    local = time.localtime(second)
    date = f"{local.tm_year:04d}-{local.tm_mon:02d}-{local.tm_mday:02d}"
    clock = f"{local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d}"
    return f"{date}T{clock}", _offset(local.tm_gmtoff)


def _offset(seconds: int) -> str:
    if not seconds:
        return "Z"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}"


def moment_text(moment: dt.datetime, *, milliseconds: bool = False) -> str:
    """Return a date and time that was logged as a value, in the form of the line's own time.

    A naive one has no offset, and none is made up for it.
    """
    text = moment.replace(tzinfo=None).isoformat(
        timespec="milliseconds" if milliseconds else "microseconds"
    )
    if not milliseconds:
        text = text.rstrip("0").removesuffix(".")
    offset = moment.utcoffset()
    return text if offset is None else text + _offset(int(offset.total_seconds()))
