"""Structured logging: one line of JSON or text for each event, on structlog."""

from mist.logging.context import bound
from mist.logging.errors import LoggingError
from mist.logging.factory import new
from mist.logging.level import DEBUG, ERROR, INFO, WARN, Level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mist.logging.capture import Capture
    from mist.logging.logger import Logger
else:  # hidden from type checkers, which would take any name for one that exists

    def __getattr__(name: str) -> object:
        # The classes of what `new` and `capture_stdlib` return load structlog, which takes longer
        # than many a command-line tool runs.
        if name == "Logger":
            from mist.logging.logger import Logger  # noqa: PLC0415  # as said above

            return Logger
        if name == "Capture":
            from mist.logging.capture import Capture  # noqa: PLC0415  # as said above

            return Capture
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DEBUG",
    "ERROR",
    "INFO",
    "WARN",
    "Capture",
    "Level",
    "Logger",
    "LoggingError",
    "bound",
    "new",
]

for _public in (Level, LoggingError, bound, new):
    _public.__module__ = __name__
del _public
