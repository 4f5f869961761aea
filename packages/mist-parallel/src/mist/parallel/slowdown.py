"""How far below its rate a limiter stays after it was told to slow down. Pure."""

from __future__ import annotations

_LEAST = 1 / 64
_RECOVERY = 0.05


class Slowdown:
    """Halves the rate with each complaint, and lets it recover by a twentieth each interval.

    The rule by which TCP shares a line: multiplicative decrease, additive increase.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._share = 1.0
        self._since = 0.0
        self.paused_until = float("-inf")

    def share(self, now: float) -> float:
        """Return the part of the rate that may be used now, more than 0 and at most 1."""
        intervals = max(0.0, now - self._since) / self._interval
        return min(1.0, self._share + _RECOVERY * intervals)

    def complain(self, now: float, began: float, retry_after: float | None) -> None:
        """Slow down.

        Args:
            now: seconds on the clock.
            began: when the call that the complaint is about was let through. Complaints about
                calls from before the last one tell nothing new, and halve nothing again.
            retry_after: seconds in which nothing shall be let through; one interval if None.
        """
        wish = self._interval if retry_after is None else retry_after
        if began >= self._since or self._share == 1.0:
            self._share = max(_LEAST, self.share(now) / 2)
            self._since = now
        self.paused_until = max(self.paused_until, now + wish)
