"""An orderly end when the system asks for one."""

from __future__ import annotations

import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Timer
    from types import FrameType
    from typing import Self

_PAUSE = 0.01  # seconds before a signal is sent again
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

    Python drops an exception that is raised in a destructor or in a callback of a weak reference,
    as its imports use. Where that was the one of a signal, Ctrl-C included, the signal is sent
    again, so that it does not go without effect.
    """

    def __init__(self) -> None:
        self.cancel: Callable[[], object] | None = None
        self.signum: int | None = None
        self._handled: list[int] = []
        self._again: Timer | None = None
        self._dropping = False

    def __enter__(self) -> Self:
        for signum in _SIGNALS:
            if signal.getsignal(signum) is signal.SIG_DFL:
                try:
                    signal.signal(signum, self._handle)
                except ValueError:
                    # Not the main thread, which alone may handle signals.
                    break
                self._handled.append(signum)
        self._former_hook, self._hook = sys.unraisablehook, self._see_to_dropped
        sys.unraisablehook = self._hook
        return self

    def __exit__(self, *_: object) -> None:
        if sys.unraisablehook is self._hook:
            sys.unraisablehook = self._former_hook
        if self._again is not None:
            self._again.cancel()
        for signum in self._handled:
            if signal.getsignal(signum) == self._handle:
                signal.signal(signum, signal.SIG_DFL)

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        first, self.signum = self.signum is None, signum
        if first and self.cancel is not None:
            self.cancel()
        else:
            raise Terminated(signum)

    def _see_to_dropped(self, dropped: sys.UnraisableHookArgs) -> None:
        exc = dropped.exc_value
        if isinstance(exc, Terminated):
            self._send_again(exc.signum)
        elif isinstance(exc, KeyboardInterrupt):
            self._send_again(signal.SIGINT)
        else:
            self._former_hook(dropped)

    def _send_again(self, signum: int) -> None:
        # Raised before Python has left its hook, it would be dropped as well.
        from threading import Timer  # noqa: PLC0415  # loads when it is needed

        self._dropping = True
        try:
            self._again = Timer(_PAUSE, self._strike, (signum,))
            self._again.daemon = True
            self._again.start()
        finally:
            # Last: from here to the hook's end the interpreter neither looks for signals nor lets
            # another thread run.
            self._dropping = False

    def _strike(self, signum: int) -> None:
        from threading import main_thread  # noqa: PLC0415  # is there already

        while self._dropping:
            time.sleep(_PAUSE)
        main = main_thread().ident
        if main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signum)  # also interrupts a system call that waits
        else:
            signal.raise_signal(signum)
