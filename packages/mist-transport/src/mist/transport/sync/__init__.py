"""Transports for scripts: the same ones, with calls that block."""

from mist.transport.sync.blocking import SyncTransport, blocking, dial

__all__ = ["SyncTransport", "blocking", "dial"]

# A traceback or a repr shows the name that users import, not the file it lives in.
for _public in (SyncTransport, blocking, dial):
    _public.__module__ = __name__
del _public
