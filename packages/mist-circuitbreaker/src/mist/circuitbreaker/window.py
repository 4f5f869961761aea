"""The calls of the last while, and how many of them were bad."""

from __future__ import annotations

from collections import deque

# What bounds the memory of a busy circuit; with this many calls, a ratio is exact enough.
_MOST_CALLS = 1000


class Window:
    """Remembers the calls that ended in the last `seconds`, at most the newest thousand."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: deque[tuple[float, bool, bool]] = deque()
        self._failed = 0
        self._slow = 0

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        """Remember one call."""
        self._calls.append((now, failed, slow))
        self._failed += failed
        self._slow += slow
        while len(self._calls) > _MOST_CALLS or self._calls[0][0] <= now - self._seconds:
            _, was_failed, was_slow = self._calls.popleft()
            self._failed -= was_failed
            self._slow -= was_slow

    def clear(self) -> None:
        """Forget all of them."""
        self._calls.clear()
        self._failed = self._slow = 0

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def failure_ratio(self) -> float:
        """The share of the calls that failed; there must be some."""
        return self._failed / len(self._calls)

    @property
    def slow_ratio(self) -> float:
        """The share of the calls that were slow; there must be some."""
        return self._slow / len(self._calls)
