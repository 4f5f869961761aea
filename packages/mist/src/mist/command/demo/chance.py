"""Chance that is the same in every process, on every transport, in every order of arrival."""

import hashlib
from typing import Final

_RANGE: Final = 1 << 64


def chance(*key: object) -> float:
    """Return a number from 0 up to 1 that depends on the key and on nothing else."""
    text = "/".join(map(str, key)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / _RANGE


def choose(options: tuple[str, ...], *key: object) -> str:
    """Return one of the options, the same one for the same key."""
    return options[int(chance(*key) * len(options))]


def whole(low: int, high: int, *key: object) -> int:
    """Return a whole number from `low` to `high`, the same one for the same key."""
    return low + int(chance(*key) * (high - low + 1))
