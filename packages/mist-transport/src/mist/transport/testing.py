"""Transports for tests: scripted, faulty, recorded and replayed."""

from mist.transport.faults import FaultyTransport
from mist.transport.mock import MockTransport
from mist.transport.recording import Record, Recorder, Replay, ReplayMismatch, replay

__all__ = [
    "FaultyTransport",
    "MockTransport",
    "Record",
    "Recorder",
    "Replay",
    "ReplayMismatch",
    "replay",
]
