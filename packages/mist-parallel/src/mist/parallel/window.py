"""How much was taken within the last interval. Pure: time comes in as an argument."""

from __future__ import annotations

from collections import deque

# What bounds the memory of a limiter that is asked for many small amounts.
_MOST_ENTRIES = 10_000
# So that three times 0.1 fit into 0.3, as they do on paper.
_ROUNDING = 1 + 1e-9
_GONE = float("-inf")


class Entry:
    """An amount that was taken at a time."""

    __slots__ = ("amount", "when")

    def __init__(self, when: float, amount: float) -> None:
        self.when = when
        self.amount = amount


class Window:
    """Remembers what was taken, for as long as it counts.

    The sum over any interval, both of its ends included, is what is bounded: an entry counts
    until more than `interval` seconds have passed.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._entries: deque[Entry] = deque()
        self._sum = 0.0

    def take(self, now: float, amount: float) -> Entry:
        """Remember an amount."""
        if len(self._entries) >= _MOST_ENTRIES and self._entries[-1].when == now:
            entry = self._entries[-1]
            entry.amount += amount
        else:
            entry = Entry(now, amount)
            self._entries.append(entry)
            if len(self._entries) > _MOST_ENTRIES:
                self._join_oldest()
        self._sum += amount
        return entry

    def change(self, entry: Entry, by: float) -> None:
        """Change what was taken; what no longer counts stays as it is."""
        if entry.when != _GONE:
            entry.amount += by
            self._sum += by

    def taken(self, now: float) -> float:
        """Return what still counts."""
        entries = self._entries
        while entries and now > entries[0].when + self.interval:
            gone = entries.popleft()
            gone.when = _GONE
            self._sum -= gone.amount
        if not entries:
            self._sum = 0.0  # and with it what adding and subtracting fractions has left
        return self._sum

    def fits(self, now: float, amount: float, limit: float) -> bool:
        """Tell whether `amount` may be taken now; one above `limit` may where nothing counts."""
        taken = self.taken(now)
        return taken == 0 or taken + amount <= limit * _ROUNDING

    def free_at(self, now: float, amount: float, limit: float) -> float:
        """Return the time after which `amount` fits, if nothing more is taken."""
        over = self.taken(now) + amount - limit * _ROUNDING
        free = now
        for entry in self._entries:
            if over <= 0:
                break
            over -= entry.amount
            free = entry.when + self.interval
        return free

    def _join_oldest(self) -> None:
        """Count the oldest entry as long as the next one: stricter, never looser."""
        oldest = self._entries.popleft()
        self._entries[0].amount += oldest.amount
        oldest.when = _GONE
