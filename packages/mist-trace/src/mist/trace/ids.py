"""Ids of traces and spans."""

import os
from random import Random

_LONGEST = 256

_random = Random()  # nosec B311  # noqa: S311  # ids are unique, not secret
if hasattr(os, "register_at_fork"):
    # Else parent and child would go on with the same ids.
    os.register_at_fork(after_in_child=_random.seed)

_bits = _random.getrandbits


def new_id() -> str:
    """Return a random id of 128 bits, as 32 lowercase hex digits.

    Ids are unique, not secret: they come from a generator seeded by the operating system, which
    is seeded anew in a forked process.
    """
    return "%032x" % _bits(128)  # noqa: UP031  # the quickest of the ways


def valid_id(value: str, /) -> bool:
    """Tell whether an id is 1 to 256 printable ASCII characters, so that it may be logged."""
    return (
        isinstance(value, str)  # pyright: ignore[reportUnnecessaryIsInstance]  # of a header that was not there, say
        and 0 < len(value) <= _LONGEST
        and value.isascii()
        and value.isprintable()
    )
