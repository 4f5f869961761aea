"""The one size limit that every reader and writer of messages shares."""

from typing import Final

MAX_MESSAGE_SIZE: Final = 10 << 20
"""The largest payload of a message, in bytes (10 MiB)."""

ENVELOPE_ALLOWANCE: Final = 64 << 10
"""Room for the envelope around a payload of the largest size, in bytes."""

MAX_ENVELOPE_SIZE: Final = MAX_MESSAGE_SIZE + ENVELOPE_ALLOWANCE
"""The largest encoded message that is worth parsing, in bytes."""
