"""What a hook is told of an attempt."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Attempt:
    """One attempt that has ended, and what comes of it.

    Attributes:
        number: which attempt it was, from 1.
        error: what it raised; None if it succeeded.
        wait: seconds until the next attempt; None if there is none.
        elapsed: seconds from the beginning of the first attempt to the end of this one.
        verdict: why there is no further attempt after an error; None otherwise.
    """

    __slots__ = ("elapsed", "error", "number", "verdict", "wait")

    def __init__(
        self,
        number: int,
        error: Exception | None,
        wait: float | None,
        elapsed: float,
        verdict: str | None,
    ) -> None:
        self.number = number
        self.error = error
        self.wait = wait
        self.elapsed = elapsed
        self.verdict = verdict

    def __repr__(self) -> str:
        return (
            f"Attempt(number={self.number!r}, error={self.error!r}, wait={self.wait!r},"
            f" elapsed={self.elapsed!r}, verdict={self.verdict!r})"
        )


_failed_hooks: set[str] = set()


def tell(hook: Callable[[Attempt], object], attempt: Attempt) -> None:
    """Call a hook; one that fails is reported once, and changes nothing."""
    try:
        hook(attempt)
    except Exception:  # whatever a hook does wrong, the operation goes on
        named = hook if hasattr(hook, "__qualname__") else type(hook)
        where = f"{named.__module__}.{named.__qualname__}"
        if where not in _failed_hooks:
            _failed_hooks.add(where)
            from logging import getLogger  # noqa: PLC0415  # only who has a broken hook needs it

            getLogger("mist.retry").warning(
                "the hook %s failed; it is called on, and further failures are not reported",
                where,
                exc_info=True,
            )
