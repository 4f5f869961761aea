"""Durations and sizes: numbers that people write with a unit."""

import re
from decimal import Context, Decimal
from typing import Annotated, TypeAlias

from msgspec import Meta

MARK = "mist.config"  # the key in `Meta.extra` by which a field is known for more than a number

Duration: TypeAlias = Annotated[
    float, Meta(ge=0, extra={MARK: "duration"}, description="seconds, or text such as 1h30m")
]
"""Seconds, as a float: from a number, or from text such as `250ms`, `30s`, `1h30m`, `7d`."""

ByteSize: TypeAlias = Annotated[
    int, Meta(ge=0, extra={MARK: "size"}, description="bytes, or text such as 512MB or 10MiB")
]
"""Bytes, as an int: from a whole number, or from text: `512MB` (`10**6`), `10MiB` (`2**20`)."""

_SECONDS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),  # the micro sign
    "μs": Decimal("1e-6"),  # the Greek letter, which is typed as often
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
_BYTES = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgtpe", start=1):
    _BYTES[f"{_letter}b"] = 1000**_power
    _BYTES[f"{_letter}i"] = _BYTES[f"{_letter}ib"] = 1024**_power

_LONGEST = 100  # characters; nobody writes more, and arithmetic on a million digits takes long
_EXACT = Context(prec=2 * _LONGEST)  # the program may have given its thread any other precision
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_PLAIN = re.compile(_NUMBER)
_PART = re.compile(rf"{_NUMBER}\s*({'|'.join(sorted(_SECONDS, key=len, reverse=True))})\s*")
_PARTS = re.compile(rf"(?:{_PART.pattern})+")
_SIZE = re.compile(rf"{_NUMBER}\s*([a-zA-Z]*)")


def parse_duration(text: str) -> float:
    """The seconds that a text means: one or more numbers, each with its unit, or a plain number.

    Units are those of Go's `time.ParseDuration` (ns us ms s m h), and d (24 h) and w (7 d).

    Raises:
        ValueError: It means none.
    """
    text = text.strip()
    if len(text) <= _LONGEST and _PLAIN.fullmatch(text):
        return float(text)
    if len(text) > _LONGEST or not _PARTS.fullmatch(text):
        raise ValueError
    parts: list[tuple[str, str]] = _PART.findall(text)
    seconds = Decimal(0)  # so that 1.1s is what 1.1 is
    for number, unit in parts:
        seconds = _EXACT.fma(Decimal(number), _SECONDS[unit], seconds)
    return float(seconds)


def parse_size(text: str) -> int:
    """The bytes that a text means: kB MB GB TB PB EB are powers of 1000, KiB MiB ... of 1024.

    Letters count in any case. `K`, `M` and `G` alone are refused: some mean 1000 by them, some 1024.

    Raises:
        ValueError: It means none, or part of a byte.
    """
    text = text.strip()
    found = _SIZE.fullmatch(text)
    if len(text) > _LONGEST or not found:
        raise ValueError
    if found[2].lower() not in _BYTES:
        raise ValueError("units are B, kB MB GB ... of 1000 and KiB MiB GiB ... of 1024")
    exact = _EXACT.multiply(Decimal(found[1]), _BYTES[found[2].lower()])
    if exact != int(exact):
        raise ValueError("not a whole number of bytes")
    return int(exact)
