"""What a stream is: a terminal or not, in colour or not, how wide, in which encoding."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import Console

_FALLBACK_WIDTH = 80
_UNBOUNDED_WIDTH = 100_000


def is_terminal(stream: TextIO) -> bool:
    """Return whether `stream` is a terminal that understands control sequences.

    `TERM=dumb` and `TERM=unknown` say that it does not.
    """
    try:
        tty = stream.isatty()
    except (AttributeError, ValueError):  # a bare object with write(), a closed file
        return False
    return tty and not _is_dumb()


def is_styled(stream: TextIO) -> bool:
    """Return whether tables on `stream` are drawn with borders: on a terminal, or by FORCE_COLOR.

    NO_COLOR prevails over FORCE_COLOR (https://no-color.org, https://force-color.org).
    """
    if is_terminal(stream):
        return True
    forced = os.environ.get("FORCE_COLOR") and not os.environ.get("NO_COLOR")
    return bool(forced) and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "").lower() in ("dumb", "unknown")


def width_of(stream: TextIO) -> int:
    """Return the width of `stream` in columns: COLUMNS, the terminal's own, or no bound."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    if not is_terminal(stream):
        return _UNBOUNDED_WIDTH
    try:
        return os.get_terminal_size(stream.fileno()).columns or _FALLBACK_WIDTH
    except OSError:
        return _FALLBACK_WIDTH


def encoding_of(stream: TextIO) -> str:
    """Return the name of the encoding that `stream` writes, UTF-8 if it does not say."""
    return getattr(stream, "encoding", None) or "utf-8"


def unwrapped(stream: TextIO) -> TextIO:
    """Return the real stream behind the one that a progress bar puts in its place."""
    real: TextIO = getattr(stream, "rich_proxied_file", stream)
    return real


def console_on(stream: TextIO, width: int | None = None) -> Console:
    """Return rich's console on `stream`, already decided to be styled; NO_COLOR takes its colours.

    Args:
        stream: Where the console writes.
        width: Columns; None to follow the terminal as it is resized.
    """
    from rich.console import Console  # noqa: PLC0415  # heavy, and only for terminals

    return Console(
        file=stream,
        width=width,
        force_terminal=True,
        force_jupyter=False,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        markup=False,
        emoji=False,
        highlight=False,
    )
