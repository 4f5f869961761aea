"""Signals that tests can rely on, however the tests were started."""

import signal
from types import FrameType


def _pass_over(_signum: int, _frame: FrameType | None) -> None:
    pass


def heed_ignored_signals() -> None:
    """Let the programs that this process starts feel SIGINT and SIGHUP.

    `nohup`, and `&` in a script, have signals ignored, and so would be what is started from here:
    tests that interrupt it would wait for ever. A handler of Python's does the same here, and is
    back to the default there.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _pass_over)
