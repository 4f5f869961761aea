"""The mist command: check, send, relay and receive MIST messages from a shell."""

from mist.command.app import build_app, main

__all__ = ["build_app", "main"]

for _public in (build_app, main):
    _public.__module__ = __name__
del _public
