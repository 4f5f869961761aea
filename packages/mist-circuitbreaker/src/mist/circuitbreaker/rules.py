"""When a circuit opens, for how long, and what closes it."""

from __future__ import annotations

import sys

from mist.circuitbreaker.errors import InvalidSettingError
from mist.circuitbreaker.window import MOST_CALLS


class Rules:
    """The checked settings of a circuit; `Breaker` says what each of them means.

    Raises:
        InvalidSettingError: A setting is out of its range; the text names it.
    """

    __slots__ = (
        "failure_ratio",
        "half_open_max",
        "max_timeout",
        "min_calls",
        "slow_call",
        "slow_ratio",
        "threshold",
        "timeout",
        "timeout_growth",
        "window",
    )

    def __init__(
        self,
        *,
        threshold: int | None,
        timeout: float,
        half_open_max: int,
        failure_ratio: float | None,
        slow_ratio: float | None,
        slow_call: float | None,
        window: float,
        min_calls: int,
        timeout_growth: float,
        max_timeout: float,
    ) -> None:
        if threshold is not None:
            want_count("threshold", threshold)
        want_count("half_open_max", half_open_max)
        want_count("min_calls", min_calls)
        _want_seconds("timeout", timeout)
        _want_seconds("window", window)
        _want_seconds("max_timeout", max_timeout)
        _want_ratio("failure_ratio", failure_ratio)
        _want_ratio("slow_ratio", slow_ratio)
        if not _is_number(timeout_growth) or timeout_growth < 1:
            raise InvalidSettingError(f"timeout_growth must be 1 or more, got {timeout_growth!r}")
        if (slow_ratio is None) != (slow_call is None):
            raise InvalidSettingError(
                "slow_ratio and slow_call belong together: give both or neither"
            )
        if slow_call is not None:
            _want_seconds("slow_call", slow_call)
        if min_calls > MOST_CALLS:
            raise InvalidSettingError(
                f"min_calls must be {MOST_CALLS} or less, as many as a window remembers,"
                f" got {min_calls!r}"
            )
        if threshold is None and failure_ratio is None and slow_ratio is None:
            raise InvalidSettingError(
                "nothing would ever open the circuit: give threshold, failure_ratio or slow_ratio"
            )
        self.threshold = threshold
        self.timeout = timeout
        self.half_open_max = half_open_max
        self.failure_ratio = failure_ratio
        self.slow_ratio = slow_ratio
        self.slow_call = slow_call
        self.window = window
        self.min_calls = min_calls
        self.timeout_growth = timeout_growth
        self.max_timeout = max(max_timeout, timeout)

    @property
    def has_window(self) -> bool:
        """Whether ratios are watched at all."""
        return self.failure_ratio is not None or self.slow_ratio is not None

    def open_for(self, openings: int) -> float:
        """How long the circuit stays open, in seconds, the nth time in a row."""
        try:
            return min(self.timeout * self.timeout_growth ** (openings - 1), self.max_timeout)
        except OverflowError:
            return self.max_timeout


def want_count(name: str, value: int) -> None:
    """Refuse what is not an integer of 1 or more."""
    # A bool is an int to Python, but nobody means it.
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise InvalidSettingError(f"{name} must be an integer of 1 or more, got {value!r}")


def _want_seconds(name: str, value: float) -> None:
    if not _is_number(value) or value <= 0:
        raise InvalidSettingError(f"{name} must be a positive number of seconds, got {value!r}")


def _want_ratio(name: str, value: float | None) -> None:
    if value is not None and not (_is_number(value) and 0 < value <= 1):
        raise InvalidSettingError(f"{name} must be more than 0 and at most 1, got {value!r}")


def _is_number(value: float) -> bool:
    largest = sys.float_info.max  # math takes its time to load
    try:
        return -largest <= value <= largest and not isinstance(value, bool)
    except TypeError:  # text
        return False
