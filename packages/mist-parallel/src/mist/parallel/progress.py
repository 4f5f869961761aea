"""Telling of progress, without letting it do harm."""

from __future__ import annotations

from collections.abc import Callable, Sized

from mist.parallel.errors import ParallelError

OnProgress = Callable[[int, int | None], object]


class Progress:
    """Tells `on_progress`, if there is one, how many inputs are done.

    What it raises is logged once, and it is not called again.

    Raises:
        ParallelError: It is a coroutine function.
    """

    def __init__(self, on_progress: OnProgress | None, inputs: object) -> None:
        from inspect import iscoroutinefunction  # noqa: PLC0415  # takes long to import

        if iscoroutinefunction(on_progress):
            raise ParallelError(
                "on_progress must be a plain function: it is called where nobody can await it"
            )
        self._tell = on_progress
        self._total = len(inputs) if isinstance(inputs, Sized) else None

    def report(self, done: int) -> None:
        """Tell how many are done."""
        if self._tell is None:
            return
        try:
            self._tell(done, self._total)
        except Exception:
            self.stop()
            import logging  # noqa: PLC0415  # as inspect does

            logging.getLogger("mist.parallel").warning(
                "on_progress raised, and is not called again", exc_info=True
            )

    def stop(self) -> None:
        """Tell no more."""
        self._tell = None
