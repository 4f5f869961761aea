"""Imports that no signal interrupts halfway."""

from __future__ import annotations

import signal
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

# Those that exist here: Windows has no SIGHUP.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def signals_held() -> Generator[None]:
    """Put off what would end the program until the end of the block.

    An exception that a signal raises in the middle of an import may be swallowed by one of the
    interpreter's own callbacks, which leaves Ctrl-C without effect, or strike an extension module
    that is half made, which crashes the interpreter. Windows cannot put off signals.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        # What has come meanwhile is handled before this returns.
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
