"""A text of any length, shown in few characters."""


def excerpt(text: str | bytes, limit: int = 80) -> str:
    """Return the repr of a text, cut after `limit` characters or bytes."""
    # str() makes a plain string of a StrEnum's member.
    plain = str(text) if isinstance(text, str) else text
    return repr(plain) if len(plain) <= limit else f"{plain[:limit]!r}..."
