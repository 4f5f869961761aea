"""Did you mean ...?"""

from collections.abc import Iterable

GUESSES = 100  # suggestions in one report; a file for another program has no near names
_LONGEST = 100  # characters; comparing takes time with their square


def nearest(name: str, names: Iterable[str]) -> str:
    """The nearest of `names` to one that is wrong, "" where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a mistake needs it

    if len(name) > _LONGEST:
        return ""
    folded = {_fold(each): each for each in names}
    found = get_close_matches(_fold(name), folded, n=1)
    return folded[found[0]] if found else ""


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")
