"""The words of a progress report, the same in a bar and in a line."""

_MINUTE = 60
_HOUR = 60 * _MINUTE
_WHOLE_RATES_FROM = 10


def count_text(done: float, total: float | None) -> str:
    """Return `12` for an unknown total, else `12/50 (24%)`."""
    if total is None:
        return f"{done:g}" if isinstance(done, float) else str(done)
    return f"{count_text(done, None)}/{count_text(total, None)} ({_percentage(done, total)}%)"


def _percentage(done: float, total: float) -> int:
    # Rounded down, so that 100% means all.
    return min(100, int(100 * done / total)) if total > 0 else 100


def rate_text(per_second: float) -> str:
    """Return a rate as `411/s`, or `3.2/s` where it is small."""
    digits = 0 if per_second >= _WHOLE_RATES_FROM else 1
    return f"{per_second:.{digits}f}/s"


def duration_text(seconds: float) -> str:
    """Return seconds as `m:ss` or `h:mm:ss`."""
    hours, rest = divmod(int(seconds), _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
