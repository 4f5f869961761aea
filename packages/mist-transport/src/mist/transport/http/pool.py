"""The connections to one peer: how its name is looked up, and which are used again."""

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

import aiohttp
from aiohttp.connector import BaseConnector, Connection

from mist.transport.daemon_thread import on_daemon_thread

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace


class _Wary(BaseConnector):
    """Passes over idle connections on which something has come that nobody asked for.

    A second answer to the request before, or the 408 with which a proxy closes, would pass for
    the answer to the next message: taken, though the peer never was asked.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self, req: "ClientRequest", traces: "list[Trace]", timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Return an idle connection with nothing on it, or a new one."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = cast("ResponseHandler", connection.protocol)
            if not (protocol in self._used and protocol.should_close):
                self._used.add(protocol)
                return connection
            connection.close()


class TCPPool(_Wary, aiohttp.TCPConnector):
    """Connections over TCP."""

    def __init__(self, **options: Any) -> None:
        """Take the options of `aiohttp.TCPConnector`."""
        resolver = aiohttp.ThreadedResolver(cast("asyncio.AbstractEventLoop", _Lookups()))
        super().__init__(resolver=resolver, **options)


class UnixPool(_Wary, aiohttp.UnixConnector):
    """Connections over a Unix socket."""


class _Lookups:
    """What a `ThreadedResolver` asks of its loop, on threads that a dead name server can keep.

    A lookup can take half a minute, and cannot be ended. The message is given up in time; the
    process must not wait for the rest of it, either.
    """

    async def getaddrinfo(self, *args: Any, **options: Any) -> Any:
        return await on_daemon_thread("mist-lookup", partial(socket.getaddrinfo, *args, **options))

    async def getnameinfo(self, *args: Any) -> Any:
        return await on_daemon_thread("mist-lookup", partial(socket.getnameinfo, *args))
