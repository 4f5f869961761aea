"""What a batch of messages and its answer look like over HTTP."""

from typing import Final

import msgspec

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"


class Refusal(msgspec.Struct):
    """Why one message of a batch was not taken.

    Attributes:
        index: Which one: 0 is the first message of the batch.
        status: The HTTP status that it would have met on its own.
        error: The reason, for a human reader.
    """

    index: int
    status: int
    error: str = ""


class BatchAnswer(msgspec.Struct):
    """The fate of a batch that was not taken as a whole.

    Attributes:
        accepted: How many messages were taken.
        rejected: The others.
    """

    accepted: int
    rejected: list[Refusal]
