"""An orderly end when the system asks for one."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Self

# Those that exist here: Windows has no SIGHUP, and only Windows has SIGBREAK.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
]


class Terminated(SystemExit):
    """A signal asked the program to end; unwinds the stack as Ctrl-C does.

    Args:
        signum: the signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(128 + signum)
        self.signum = signum


class Termination:
    """While entered, SIGTERM and its like end the program through its `finally` blocks.

    The first one calls `cancel`, if there is one; a further one, or one without `cancel`,
    raises `Terminated`. A signal that the application handles or ignores already, and any
    signal outside of the main thread, is left alone.
    """

    def __init__(self) -> None:
        self.cancel: Callable[[], object] | None = None
        self.signum: int | None = None
        self._handled: list[int] = []

    def __enter__(self) -> Self:
        for signum in _SIGNALS:
            if signal.getsignal(signum) is signal.SIG_DFL:
                try:
                    signal.signal(signum, self._handle)
                except ValueError:
                    # Not the main thread, which alone may handle signals.
                    break
                self._handled.append(signum)
        return self

    def __exit__(self, *_: object) -> None:
        for signum in self._handled:
            if signal.getsignal(signum) == self._handle:
                signal.signal(signum, signal.SIG_DFL)

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        first, self.signum = self.signum is None, signum
        if first and self.cancel is not None:
            self.cancel()
        else:
            raise Terminated(signum)
