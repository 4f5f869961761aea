"""One call under way, and what it came to."""

from __future__ import annotations

from mist.circuitbreaker.circuit import Permit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Attempt:
    """A permit while it is out: leaving the `with` block gives it back, with the error if any."""

    __slots__ = ("_permit", "_settle")

    def __init__(
        self, permit: Permit, settle: Callable[[Permit, BaseException | None], None]
    ) -> None:
        self._permit = permit
        self._settle = settle

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._settle(self._permit, exc)
