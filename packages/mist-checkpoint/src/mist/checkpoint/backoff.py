"""How long to wait between the attempts of a step."""

_FIRST, _LONGEST = 0.1, 5.0  # seconds


def wait_after(attempt: int) -> float:
    """Return the seconds to wait after an attempt, counted from 1: 0.1, 0.2, 0.4 ... at most 5."""
    return min(_FIRST * 2.0 ** min(attempt - 1, 16), _LONGEST)
