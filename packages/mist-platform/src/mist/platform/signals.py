"""The signals that ask a program to stop."""

import sys

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from signal import Signals


def shutdown_signals() -> "tuple[Signals, ...]":
    """Return the signals that should begin a graceful shutdown.

    SIGTERM and SIGINT; on Windows, where SIGTERM is never delivered, Ctrl+C and Ctrl+Break.
    """
    import signal  # noqa: PLC0415  # its enumerations cost more than the rest of this package

    if sys.platform == "win32":
        return (signal.SIGINT, signal.SIGBREAK)
    return (signal.SIGTERM, signal.SIGINT)
