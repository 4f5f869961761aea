"""Durations as Go writes them."""


def go_duration(seconds: float) -> str:
    """Return seconds as Go's `d.Round(time.Second).String()`: `0s`, `59s`, `1m0s`, `26h0m3s`."""
    whole = int(seconds + 0.5)  # Go rounds halves up, Python's round() to even
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    if hour:
        return f"{hour}h{minute}m{second}s"
    if minute:
        return f"{minute}m{second}s"
    return f"{second}s"
