"""The switch that removes waiting from tests."""

from __future__ import annotations

from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import ClassVar


class without_waiting:  # noqa: N801  # it reads as a statement: `with without_waiting():`
    """Retry without waiting for as long as the `with` block lasts: for tests.

    It holds for the whole process, other threads included, and ends with the block, so that
    nobody can forget to switch it off. What is retried, and how often, stays as it is.

    `with without_waiting() as waits:` gives the list of the waits left out, in seconds.
    """

    _lock: ClassVar = allocate_lock()
    _active: ClassVar[tuple[list[float], ...]] = ()

    def __init__(self) -> None:
        self._waits: list[float] = []

    def __enter__(self) -> list[float]:
        with self._lock:
            without_waiting._active = (*self._active, self._waits)
        return self._waits

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            without_waiting._active = tuple(w for w in self._active if w is not self._waits)

    @classmethod
    def is_on(cls) -> bool:
        """Whether such a block is open."""
        return bool(cls._active)

    @classmethod
    def leave_out(cls, wait: float) -> None:
        """Write down a wait in every block that is open."""
        for waits in cls._active:
            waits.append(wait)
