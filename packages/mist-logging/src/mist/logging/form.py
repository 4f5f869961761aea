"""What a form of log lines has to do."""

from collections.abc import Callable, Mapping
from typing import Protocol

from mist.logging.timestamp import Timestamps
from mist.logging.values import Leaves


class Form(Leaves, Protocol):
    """One of the two forms of a line."""

    def clock(self, times: Timestamps) -> Callable[[], str]:
        """Return what tells the time of a line."""
        ...

    def encode(self, record: Mapping[str, object]) -> bytes:
        """Return a record of plain values as one line, without the line's end.

        Raises:
            Exception: if a value is not as plain as it seemed.
        """
        ...
