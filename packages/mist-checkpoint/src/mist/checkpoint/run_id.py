"""Which names a run may have."""

_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST = 255


def valid_run_id(run_id: str) -> bool:
    """Tell whether a run id is 1 to 255 of `A-Z a-z 0-9 - _`, which is what mist-go takes."""
    if not isinstance(run_id, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        return False
    return 0 < len(run_id) <= _LONGEST and _ALLOWED.issuperset(run_id)
