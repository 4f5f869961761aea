"""Text in the columns of a terminal."""


def printable(value: object) -> str:
    """Return a text that cannot control the terminal: such characters are shown as escapes."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def shown_width(text: str) -> int:
    """Return how many columns a printable text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def fit(text: str, width: int) -> str:
    """Return a printable text, cut where it takes more columns than there are."""
    if shown_width(text) <= width:
        return text
    kept, room = "", width - 1
    for each in text:
        room -= _columns(each)
        if room < 0:
            break
        kept += each
    return f"{kept}…"


def pad(text: str, width: int) -> str:
    """Return a printable text, filled with spaces up to so many columns."""
    return text + " " * (width - shown_width(text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    from unicodedata import combining, east_asian_width  # noqa: PLC0415  # only where needed

    return 0 if combining(character) else 1 + (east_asian_width(character) in "WF")
