"""What the count of some work and the way it is shown know of each other."""

from typing import Protocol


class Count(Protocol):
    """What a report shows: how much is done, of what."""

    label: str

    @property
    def done(self) -> int:
        """How much is done."""
        ...

    @property
    def total(self) -> int | None:
        """How much there is, None if unknown."""
        ...


class Report(Protocol):
    """How progress is shown."""

    def advanced(self, count: Count) -> None:
        """Take note that the count has changed."""
        ...

    def close(self, count: Count, *, interrupted: bool) -> None:
        """Show the last state and stop."""
        ...
