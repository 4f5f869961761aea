"""The states of a circuit."""

from enum import StrEnum


class State(StrEnum):
    """What a circuit does with calls: lets them through, refuses them, or lets a few probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
