"""The words of a progress report, the same in a bar and in a line."""

_MINUTE = 60
_HOUR = 60 * _MINUTE
_WHOLE_RATES_FROM = 10


def count_text(done: int, total: int | None) -> str:
    """Return `12` for an unknown total, else `12/50 (24%)`."""
    if total is None:
        return str(done)
    # Rounded down, so that 100% means all.
    percentage = min(100, 100 * done // total) if total > 0 else 100
    return f"{done}/{total} ({percentage}%)"


def rate_text(per_second: float) -> str:
    """Return a rate as `411/s`, or `3.2/s` where it is small."""
    digits = 0 if per_second >= _WHOLE_RATES_FROM else 1
    return f"{per_second:.{digits}f}/s"


def duration_text(seconds: float) -> str:
    """Return seconds as `m:ss` or `h:mm:ss`."""
    hours, rest = divmod(int(seconds), _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
