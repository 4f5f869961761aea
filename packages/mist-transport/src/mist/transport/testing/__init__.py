"""Transports for tests: scripted, faulty, recorded and replayed."""

from mist.transport.testing.faulty import FaultyTransport
from mist.transport.testing.mock import MockTransport
from mist.transport.testing.recording import Record, Recorder, Replay, ReplayMismatch, replay

__all__ = [
    "FaultyTransport",
    "MockTransport",
    "Record",
    "Recorder",
    "Replay",
    "ReplayMismatch",
    "replay",
]

# A traceback or a repr shows the name that users import, not the file it lives in.
for _public in [globals()[name] for name in __all__]:
    _public.__module__ = __name__
