"""Calls into the application's own code whose failure must not cost a message."""

import inspect
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from mist.transport.errors import InvalidSettingError

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger("mist.transport")


def want_plain(name: str, hook: object) -> None:
    """Refuse a hook that is a coroutine function: it is called where nobody can await it.

    Raises:
        InvalidSettingError: It is one; the text names it.
    """
    if inspect.iscoroutinefunction(hook):
        raise InvalidSettingError(
            f"{name} must be a plain function, as nobody awaits what it returns"
        )


class Isolation:
    """Calls things that may fail: the first failure is logged, none reaches the caller."""

    def __init__(self, what: str) -> None:
        """Make an isolation of one thing.

        Args:
            what: How the log calls it.
        """
        self._what = what
        self._reported = False

    def call(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what the call returns, or None where it fails."""
        try:
            return fn(*args, **kwargs)
        except Exception:  # noqa: BLE001  # whatever it is, the message comes first
            if not self._reported:
                self._reported = True
                _log.warning(
                    "%s fails, and messages go on without it; said only once",
                    self._what,
                    exc_info=True,
                )
            return None
