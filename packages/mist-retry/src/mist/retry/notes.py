"""What the final error says of the attempts before it."""

from __future__ import annotations

_FIRST, _LAST = 3, 7  # of many failures, these are told of
_LONGEST = 200  # characters of a failure's text


class History:
    """The failures so far, as text: holding the errors would hold their frames."""

    __slots__ = ("_lines", "_omitted")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._omitted = 0

    def add(self, number: int, error: BaseException, wait: float) -> None:
        """Remember a failure, and the wait that follows it."""
        self._lines.append(f"attempt {number}: {describe(error)}; wait {seconds(wait)}")
        if len(self._lines) > _FIRST + _LAST:
            del self._lines[_FIRST]
            self._omitted += 1

    def below(self, headline: str) -> str:
        """A note of several lines: the headline, then the failures."""
        lines = [headline, *self._lines]
        if self._omitted:
            lines.insert(1 + _FIRST, f"({self._omitted} more)")
        return "\n  ".join(lines)


def describe(error: BaseException) -> str:
    """The class and the text of an error, on one line and not too long."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  # a foreign __str__ may fail
        text = "(its text cannot be had)"
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "..."
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def seconds(value: float) -> str:
    """A duration, short."""
    return f"{value:.3g} s"


def annotate(error: BaseException, prefix: str, text: str) -> None:
    """Add a note, in the place of one with this prefix that an earlier raise left."""
    try:
        notes: list[str] = getattr(error, "__notes__", [])
        notes[:] = [note for note in notes if not note.startswith(prefix)]
        error.add_note(prefix + text)
    except Exception:  # noqa: BLE001, S110  # an error that takes no notes is raised without
        pass
