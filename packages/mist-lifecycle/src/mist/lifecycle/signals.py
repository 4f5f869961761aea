"""The signals that ask a program to end."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn, Self

from mist.lifecycle.errors import LifecycleError
from mist.lifecycle.scope import Scope
from mist.lifecycle.stack import frame_line

# Those that exist here: only Windows has SIGBREAK, which is Ctrl-Break and the end of a console.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
]
_ASYNCIO = str(Path(asyncio.__file__).parent)
_ATOMIC = 4096  # bytes that a pipe found writable takes without blocking


class Signals:
    """While entered, a first signal is told, and a second one ends the process at once.

    Handled are only those that the process does not ignore, and only in the main thread, which
    alone may. Of several runs at a time only the first one hears of signals.

    Args:
        wanted: which; True for SIGINT, SIGTERM and, on Windows, SIGBREAK.
        first: told the name of the first one, inside a signal handler.
        last_words: what to say before ending at once; told the name of the signal and what the
            main thread was doing.
    """

    def __init__(
        self,
        wanted: bool | Collection[int],  # noqa: FBT001  # the public parameter's form
        first: Callable[[str], object],
        last_words: Callable[[str, FrameType | None], str],
    ) -> None:
        self._wanted = _SIGNALS if wanted is True else wanted or ()
        self._first = first
        self._last_words = last_words
        self._told = False
        self._former: dict[int, Callable[[int, FrameType | None], object] | int] = {}
        self._pid = os.getpid()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            try:
                for signum in self._wanted:
                    self._handle(signum)
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        for signum, former in self._former.items():
            if signal.getsignal(signum) == self._on_signal:
                signal.signal(signum, former)

    def _handle(self, signum: int) -> None:
        try:
            former = signal.getsignal(signum)
            # None is a handler of whatever embeds Python; it could not be put back.
            if former is None or former == signal.SIG_IGN or _is_ours(former):
                return
            signal.signal(signum, self._on_signal)
        except (OSError, ValueError) as exc:
            raise LifecycleError(f"signal {signum!r} cannot be handled: {exc}") from exc
        self._former[signum] = former

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            # A forked child has inherited the handler, but not the run.
            signal.signal(signum, self._former[signum])
            signal.raise_signal(signum)
            return
        name = _name(signum)
        if self._told:
            _exit_at_once(signum, lambda: self._last_words(name, frame))
        self._told = True
        self._first(name)


def handled(wanted: bool | Collection[int], scope: Scope) -> Signals:  # noqa: FBT001  # as above
    """Return the signals that begin the shutdown of a run, and say where it stood if they force it."""

    def last_words(name: str, frame: FrameType | None) -> str:
        going_on = [
            f"{each.name} ({each.phase})" + _innermost(each.stack) for each in scope.unfinished()
        ]
        if frame is not None and not _is_waiting(frame):
            going_on.append(f"the main thread at {frame_line(frame)}")
        told = ", ".join(going_on) or "nothing that has a name"
        return f"mist.lifecycle: {name} again, exiting at once; still going on: {told}"

    return Signals(wanted, scope.request, last_words)


def _name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:  # a real-time signal, of which only the first and the last have names
        return f"signal {signum}"


def _innermost(stack: tuple[str, ...]) -> str:
    """The innermost function that is not asyncio's own, for all wait in one of those in the end."""
    own = [line for line in stack if _ASYNCIO not in line]
    return f" at {(own or stack)[-1]}" if stack else ""


def _is_waiting(frame: FrameType) -> bool:
    """Whether the event loop is only waiting for something to happen."""
    package = str(frame.f_globals.get("__name__")).split(".")
    return package[0] in {"selectors", "asyncio"} or package[:2] == ["mist", "lifecycle"]


def _is_ours(handler: object) -> bool:
    return isinstance(getattr(handler, "__self__", None), Signals)


def _exit_at_once(signum: int, last_words: Callable[[], str]) -> NoReturn:
    try:
        text = last_words().encode("utf-8", "backslashreplace")[: _ATOMIC - 1] + b"\n"
        # Not sys.stderr: the signal may have struck while it was writing. And whoever reads it
        # may have stopped reading, which must not keep anybody from leaving.
        if os.name == "nt" or select.select([], [2], [], 0)[1]:
            os.write(2, text)
    finally:
        os._exit(128 + signum)  # as shells report a death by signal


@contextmanager
def woken_by_signals(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """While entered, every signal wakes the loop, so that its handler runs at once.

    Python runs handlers in the main thread, between two bytecodes. A signal that strikes another
    thread, or just before the loop waits, would else be noticed at its next event, if there is one.

    Args:
        loop: the running loop.
    """
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        # Windows' loop sees to it by itself, and only the main thread gets signals.
        yield
        return
    inside, outside = socket.socketpair()
    with inside, outside:
        inside.settimeout(0)
        outside.settimeout(0)
        mine = outside.fileno()
        former = signal.set_wakeup_fd(mine, warn_on_full_buffer=False)
        if former != -1:
            # Somebody sees to it already: uvloop, or a handler of the loop's own.
            signal.set_wakeup_fd(former)
            yield
            return
        loop.add_reader(inside, inside.recv, _ATOMIC)
        try:
            yield
        finally:
            present = signal.set_wakeup_fd(-1)
            if present != mine:
                signal.set_wakeup_fd(present)
            loop.remove_reader(inside)
