"""A listening socket served by uvicorn, until it is closed."""

import asyncio
import os
import ssl
import weakref
from collections.abc import Iterator
from email.utils import formatdate
from socket import AF_INET, AF_INET6, socket
from typing import Any, Final
from urllib.parse import quote

import uvicorn
from uvicorn.server import ServerState

from mist.transport.errors import TransportError
from mist.transport.http.address import TCPAddress, UnixAddress, parse_address
from mist.transport.http.binding import Bound, bind
from mist.transport.http.connection import Connection
from mist.transport.http.endpoint import Endpoint

# Longer than clients keep an idle connection (Go: 90 s, aiohttp: 15 s), so that it is the client
# that closes it, and no request meets the closing.
_IDLE_SECONDS: Final = 120


class _ListeningSocket(socket):
    """A listening socket that fails once where it fails.

    asyncio rests for a second where there are no file descriptors left to accept with, but goes on
    to the end of the backlog first, with a complaint for each place of it.
    """

    _has_failed = False

    def accept(self) -> tuple[socket, Any]:
        """Accept a connection; who asks again after an error is told that none waits."""
        if self._has_failed:
            self._has_failed = False
            raise BlockingIOError
        try:
            return super().accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            raise
        except OSError:
            self._has_failed = True
            raise


class Listener:
    """Serves one endpoint at one address.

    Attributes:
        address: Where it really listens, such as `127.0.0.1:41231` or `unix:/path`.
        url: What to dial to reach it from this machine.
    """

    def __init__(
        self,
        bound: Bound,
        endpoint: Endpoint,
        *,
        path: str,
        ssl_context: ssl.SSLContext | None,
        header_timeout: float,
        max_connections: int,
    ) -> None:
        self.address, self.url = _names(bound.socket, path, secure=ssl_context is not None)
        self._bound = bound
        self._ssl_context = ssl_context
        self._header_timeout = header_timeout
        self._max_connections = max_connections
        self._state = ServerState()
        self._config = uvicorn.Config(
            endpoint,
            http="httptools",
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        self._config.load()
        self._empty = asyncio.Event()
        self._closing = False
        _listeners.add(self)

    @classmethod
    async def start(
        cls,
        address: str,
        endpoint: Endpoint,
        *,
        path: str,
        ssl_context: ssl.SSLContext | None,
        header_timeout: float,
        max_connections: int,
        backlog: int,
    ) -> "Listener":
        """Listen at an address; on return, connections are accepted.

        Raises:
            TransportError: The address is not one, is in use, or is not this machine's.
        """
        where = parse_address(address)
        if ssl_context is not None and isinstance(where, UnixAddress):
            raise TransportError("a Unix socket is served without TLS", code="validation")
        binding = asyncio.create_task(asyncio.to_thread(bind, where, backlog))
        try:
            bound = await asyncio.shield(binding)
        except asyncio.CancelledError:
            # The thread cannot be stopped: what it will have bound is given back.
            binding.add_done_callback(_give_back)
            raise
        bound.socket = _ListeningSocket(fileno=bound.socket.detach())
        try:
            listener = cls(
                bound,
                endpoint,
                path=path,
                ssl_context=ssl_context,
                header_timeout=header_timeout,
                max_connections=max_connections,
            )
            await listener._serve(backlog)
        except BaseException:
            bound.close()
            raise
        return listener

    async def close(self, patience: float) -> None:
        """Accept nothing more, finish the requests that have begun, and cut off what is left.

        Args:
            patience: How long the requests may take, in seconds.
        """
        self._closing = True
        self._clock.cancel()
        await asyncio.wait([self._clock])
        await asyncio.to_thread(self._bound.remove)
        self._server.close()
        for connection in tuple(self._state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(patience):
                await self._until_empty()
        except TimeoutError:
            # Without its connection, a request is over as soon as it looks for more of its body.
            for connection in tuple(self._state.connections):
                connection.transport.abort()
            await self._until_empty()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks)

    def after_fork(self) -> None:
        """Give up in a forked child the sockets that would stay open as long as it lives."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in self._descriptors():
            # Not closed, for the objects that it belongs to here would close it once more.
            os.dup2(nowhere, descriptor, inheritable=False)
        os.close(nowhere)

    def _descriptors(self) -> Iterator[int]:
        transports = [each.transport for each in tuple(self._state.connections)]
        served = (t.get_extra_info("socket") for t in transports if not t.is_closing())
        for each in (self._bound.socket, *served):
            if each.fileno() >= 0:
                yield each.fileno()

    async def _serve(self, backlog: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._new_connection,
            sock=self._bound.socket,
            ssl=self._ssl_context,
            backlog=backlog,
            ssl_handshake_timeout=self._header_timeout if self._ssl_context else None,
            start_serving=False,
        )
        try:
            await self._server.start_serving()
        except BaseException:
            self._bound.remove()
            self._server.close()
            raise
        self._clock = asyncio.create_task(self._keep_the_date())

    async def _keep_the_date(self) -> None:
        """Have every answer carry the time, as RFC 9110, section 6.6.1, wants it."""
        while True:
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            await asyncio.sleep(1.0)

    def _new_connection(self) -> asyncio.Protocol:
        return Connection(
            self._config,
            self._state,
            patience=self._header_timeout,
            has_room=self._has_room,
            on_lost=self._note_lost,
        )

    def _has_room(self) -> bool:
        """Tell whether the newest connection may stay; its TLS handshake may have taken long."""
        return not self._closing and len(self._state.connections) <= self._max_connections

    def _note_lost(self) -> None:
        if not self._state.connections:
            self._empty.set()

    async def _until_empty(self) -> None:
        while self._state.connections:
            self._empty.clear()
            await self._empty.wait()


_listeners: "weakref.WeakSet[Listener]" = weakref.WeakSet()


def _after_fork() -> None:
    for listener in tuple(_listeners):
        listener.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _give_back(binding: "asyncio.Task[Bound]") -> None:
    if not binding.cancelled() and binding.exception() is None:
        binding.result().close()


def _names(sock: socket, path: str, *, secure: bool) -> tuple[str, str]:
    """Return a listening socket's address, and the URL that reaches it from this machine."""
    where: Any = sock.getsockname()
    if sock.family not in (AF_INET, AF_INET6):
        return f"unix:{where}", f"http+unix://{quote(where)}"
    host: str = where[0]
    port: int = where[1]
    dialed = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104  # compared
    scheme = "https" if secure else "http"
    return str(TCPAddress(host, port)), f"{scheme}://{TCPAddress(dialed, port)}{path}"
