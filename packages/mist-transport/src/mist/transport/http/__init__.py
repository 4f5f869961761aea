"""Messages over HTTP: a client, a listener, and an endpoint for somebody else's application."""

# Public as mist.transport.HTTP, and as nothing else.
from mist.transport.http.transport import HTTP as HTTP
