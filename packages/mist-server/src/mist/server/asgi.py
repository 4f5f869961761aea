"""The types of ASGI 3, as far as a server and a router speak of them."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Middleware = Callable[[ASGIApp], ASGIApp]
Header = tuple[bytes, bytes]


class ClientGone(ConnectionError):
    """The client is gone, so that nothing can be sent to it; see ASGI, HTTP 2.4."""

    code = "transport"
