"""Messages over HTTP: a client, a listener, and an endpoint for somebody else's application."""

from mist.transport.http.transport import HTTP

__all__ = ["HTTP"]
