"""A small HTTP server with pattern routing, deadlines, and a shutdown that loses no request."""

from mist.server.errors import PatternError, ServerError
from mist.server.router import Router
from mist.server.server import Server

__all__ = ["PatternError", "Router", "Server", "ServerError"]

for _public in (PatternError, Router, Server, ServerError):
    _public.__module__ = __name__
del _public
