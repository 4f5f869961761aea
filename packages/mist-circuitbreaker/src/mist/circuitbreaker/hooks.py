"""Telling others of changes, without letting them do harm."""

from __future__ import annotations

from _thread import allocate_lock

from mist.circuitbreaker.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable


class StateHook:
    """Passes changes of state on to a hook, in their order, one at a time.

    Raises:
        TypeError: The hook is not callable, or a coroutine function.
    """

    def __init__(
        self,
        name: str,
        changes: deque[tuple[State, State]],
        hook: Callable[[State, State], object] | None,
    ) -> None:
        if hook is not None:
            want_plain("on_state_change", hook)
        self._name = name
        self._changes = changes
        self._hook = hook
        self._delivering = allocate_lock()

    def after_fork(self) -> None:
        """Forget in a forked child the thread that was delivering."""
        self._delivering = allocate_lock()

    def deliver(self) -> None:
        """Pass on what has changed, unless another thread, or the hook's caller, is at it."""
        while self._changes and self._delivering.acquire(blocking=False):
            try:
                self._deliver_all()
            finally:
                self._delivering.release()

    def _deliver_all(self) -> None:
        while self._changes:
            old, new = self._changes.popleft()
            if self._hook is None:
                continue
            try:
                self._hook(old, new)
            except Exception as exc:  # noqa: BLE001  # a hook's trouble is not the call's
                report("on_state_change", self._name, exc)


def report(hook: str, name: str, error: Exception) -> None:
    """Log what a hook has raised."""
    import logging  # noqa: PLC0415  # takes long to import, and is hardly ever needed

    logging.getLogger("mist.circuitbreaker").warning(
        "%s of breaker %r raised: its error is ignored", hook, name, exc_info=error
    )


def want_plain(name: str, hook: object) -> None:
    """Refuse what is not a plain function.

    Raises:
        TypeError: It is not callable, or a coroutine function.
    """
    import inspect  # noqa: PLC0415  # see report

    if not callable(hook):
        raise TypeError(f"{name} must be callable, got {type(hook).__name__}")
    if inspect.iscoroutinefunction(hook):
        raise TypeError(
            f"{name} must be a plain function: it is called where nobody can await it;"
            " have it put what it learns into a queue, or start a task"
        )
