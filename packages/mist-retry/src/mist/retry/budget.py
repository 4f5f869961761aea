"""How many retries a program can afford, whoever makes them."""

from __future__ import annotations

import os
from _thread import RLock
from time import monotonic

from mist.retry.setting import check_number, check_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from weakref import WeakSet

_NANOSECONDS = 1_000_000_000


class Budget:
    """A bucket of tokens, one for each retry, shared by all that retry against the same thing.

    It begins full, refills over time, and gets a little back from every operation that
    succeeds. While it is empty, errors are raised at once: where a dependency is down, a
    program makes only as many retries as refill, however many operations fail.

    Safe for use by threads and tasks alike. What refills is counted in whole numbers, so that
    nothing is lost however often and at whatever moments the budget is asked. A forked child goes on
    with a copy of its own.

    Args:
        capacity: the most tokens it holds.
        refill_rate: tokens that come back each second; 0 refills by successes only.
        refund: tokens that come back with each operation that succeeds, at whichever attempt.
        clock: the present time in seconds, from any start.

    Attributes:
        capacity: the most tokens it holds.
        granted: retries paid for so far.
        refused: retries that it had no token for.

    Raises:
        InvalidSetting: one of them makes no sense.
    """

    capacity: int
    granted: int
    refused: int

    def __init__(
        self,
        capacity: int = 10,
        *,
        refill_rate: float = 1.0,
        refund: float = 0.1,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.capacity = check_whole("capacity", capacity, 1, "a whole number of tokens, 1 or more")
        rate = check_number("refill_rate", refill_rate, "a number of tokens a second, 0 or more")
        back = check_number("refund", refund, "a number of tokens, 0 or more")
        # In the unit of debt that makes both what a token is and what refills in a nanosecond
        # whole numbers, whatever the rate.
        self._refill, denominator = rate.as_integer_ratio()
        self._token = denominator * _NANOSECONDS
        self._refund = round(back * self._token)
        self._debt = 0
        self._clock = clock
        self._at = self._now()
        # Reentrant, because the collector may close an abandoned coroutine, which then puts its
        # token back, in any of the lines that hold the lock.
        self._lock = RLock()
        self.granted = 0
        self.refused = 0
        _at_fork(self)

    @property
    def available(self) -> float:
        """The tokens that it holds now."""
        with self._lock:
            return max(0.0, self.capacity - self._owed() / self._token)

    def try_take(self) -> bool:
        """Pay for one retry, if there is a token."""
        with self._lock:
            owed = self._owed() + self._token
            # A rate such as 0.3 is a little less in binary: a nanosecond's refill makes up for it.
            if owed > self.capacity * self._token + self._refill:
                self.refused += 1
                return False
            self._debt = owed
            self.granted += 1
            return True

    def put_back(self) -> None:
        """Return the token of a retry that is not made after all."""
        with self._lock:
            self._debt = max(0, self._owed() - self._token)
            self.granted -= 1

    def succeeded(self) -> None:
        """Take note of a success: `refund` comes back."""
        with self._lock:
            if self._debt:
                self._debt = max(0, self._owed() - self._refund)

    def _after_fork(self) -> None:
        """Go on in a forked child, without the thread that had the lock."""
        self._lock = RLock()

    def _owed(self) -> int:
        """What is missing from a full bucket now."""
        now = self._now()
        if self._debt and now > self._at:
            self._debt = max(0, self._debt - (now - self._at) * self._refill)
        self._at = now
        return self._debt

    def _now(self) -> int:
        return round(self._clock() * _NANOSECONDS)

    def __repr__(self) -> str:
        return (
            f"<Budget {self.available:.3g} of {self.capacity} available,"
            f" {self.granted} granted, {self.refused} refused>"
        )


_budgets: WeakSet[Budget] | None = None
_making = RLock()


def _at_fork(budget: Budget) -> None:
    """Let a budget go on in forked processes, as long as it lives."""
    global _budgets  # noqa: PLW0603  # made with the first budget
    with _making:
        if _budgets is None:
            from weakref import WeakSet  # noqa: PLC0415  # only where there are budgets

            _budgets = WeakSet()
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_after_fork)
        _budgets.add(budget)


def _after_fork() -> None:
    global _making  # noqa: PLW0603  # another thread of the parent may hold it
    _making = RLock()
    for budget in tuple(_budgets or ()):
        budget._after_fork()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # of this module
