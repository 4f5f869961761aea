"""What is wrong with a setting, and the checks that say so."""

from __future__ import annotations

_INFINITE = float("inf")


class InvalidSetting(ValueError):
    """A policy, a budget or an option that makes no sense; the text says what would."""

    code: str = "validation"
    """The standard code: what exit and HTTP statuses are derived from."""


def check_kind(name: str, value: object, kind: type, meaning: str) -> None:
    """Refuse a value that is not of this kind."""
    if not isinstance(value, kind):
        raise InvalidSetting(f"{name} must be {meaning}, got {value!r}")


def check_plain(name: str, value: object, meaning: str) -> None:
    """Refuse a value that cannot be called, or is a coroutine function."""
    from inspect import iscoroutinefunction  # noqa: PLC0415  # takes long to import

    if not callable(value):
        raise InvalidSetting(f"{name} must be {meaning}, got {value!r}")
    if iscoroutinefunction(value) or iscoroutinefunction(type(value).__call__):
        raise InvalidSetting(
            f"{name} must be a plain function, as nobody awaits what it returns; got {value!r}"
        )


def check_whole(name: str, value: object, least: int, meaning: str) -> int:
    """The value, where it is a whole number and not less than `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidSetting(f"{name} must be {meaning}, got {value!r}")
    return value


def check_number(
    name: str, value: object, meaning: str, *, least: float = 0.0, most: float | None = None
) -> float:
    """The value as a float, where it is a finite number within the bounds."""
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or not least <= value < _INFINITE  # which no NaN is
        or (most is not None and value > most)
    ):
        raise InvalidSetting(f"{name} must be {meaning}, got {value!r}")
    return float(value)
