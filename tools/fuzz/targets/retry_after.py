"""A peer's `Retry-After` is a time to wait, in seconds from 0 to a few centuries, or nothing.

No text of a header makes reading it raise; whole seconds are read as they are.
"""

from collections.abc import Iterator

from mist.transport.http.faults import retry_after

TOKENS = ("Mon, 01 Jan 2020 00:00:00 GMT", "+0000", "-2359", ":", "99999999999999999999")

_LONGEST = 1e12  # seconds
_MOST_DIGITS = 10


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    text = data.decode("latin-1")
    seconds = retry_after({"Retry-After": text})
    assert seconds is None or 0 <= seconds < _LONGEST
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        assert seconds == int(digits)


def seeds() -> Iterator[bytes]:
    """Give both forms of RFC 9110, and dates of older mail."""
    yield from (b"7", b"Fri, 31 Dec 2049 23:59:59 GMT", b"Friday, 31-Dec-99 23:59:59 GMT")
    yield from (b"Fri Dec 31 23:59:59 1999", b"Fri, 31 Dec 9999 23:59:59 -2359", b"1 Jan 00 0:0 +1")
