"""How grave a line is."""

import enum

from mist.logging.errors import LoggingError


class Level(enum.IntEnum):
    """The four levels, with the numbers of the standard library's `logging`."""

    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40


DEBUG = Level.DEBUG
"""What only somebody who looks for a fault wants to read."""
INFO = Level.INFO
"""What happens as it should."""
WARN = Level.WARN
"""What somebody should look at, though the work goes on."""
ERROR = Level.ERROR
"""What has failed."""

_NAMES = {level.name: level for level in Level} | {"WARNING": Level.WARN}


def level_of(given: Level | int | str) -> Level:
    """Return the level that a number or a name (in any case) stands for.

    Raises:
        LoggingError: if it stands for none; the text names those that exist.
    """
    if isinstance(given, str):
        level = _NAMES.get(given.strip().upper())
    else:
        level = next((each for each in Level if each == given and given is not True), None)
    if level is None:
        raise LoggingError(
            f"unknown level {given!r}: choose debug, info, warn (or warning) or error, "
            "or one of mist.logging's DEBUG, INFO, WARN and ERROR"
        )
    return level


def nearest_level(number: int) -> Level:
    """Return the gravest level that is not above one of the standard library's numbers."""
    return next((each for each in reversed(Level) if each <= number), Level.DEBUG)
