"""The listening socket: it accepts connections until it is closed, and loses none."""

import asyncio
import os
import ssl
import weakref
from collections.abc import Iterator
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SHUT_WR, TCP_NODELAY, socket
from typing import Any, Final, cast

import uvicorn
from uvicorn.server import ServerState

from mist.server.asgi import ASGIApp
from mist.server.binding import BoundSocket
from mist.server.connection import Connection
from mist.server.limits import Limits
from mist.server.logger import Log
from mist.server.problem import raw_problem
from mist.server.refusal import refuse_newcomers
from mist.server.service import Service

# After this many connections accepted at once, others get their turn on the event loop.
_TURN: Final = 64
_PAUSE_SECONDS: Final = 0.1
# How long a cancelled handler may take before nobody waits for it any more.
_CANCEL_SECONDS: Final = 1.0
_DRAIN_BYTES: Final = 64 << 10


class Listener:
    """Serves an application at a socket."""

    def __init__(
        self,
        bound: BoundSocket,
        app: ASGIApp,
        *,
        state: dict[str, Any],
        limits: Limits,
        log: Log,
        access_log: bool,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        """Make a listener; `start` starts it.

        Args:
            bound: Where to listen.
            app: What answers requests.
            state: What it keeps for them since its start.
            limits: What a client may take.
            log: Where failures are noted.
            access_log: Whether each request is noted there, too.
            ssl_context: What to show the clients, where TLS is spoken.
        """
        config = uvicorn.Config(
            app,
            http="httptools",
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=cast("int", limits.idle_timeout),  # goes to call_later
        )
        config.load()
        self._service = Service(
            app=app,
            state=state,
            limits=limits,
            log=log,
            access_log=log if access_log else None,
            config=config,
            shared=ServerState(),
            connection_lost=asyncio.Event(),
        )
        self._bound = bound
        self._ssl_context = ssl_context
        self._log = log
        self._arriving: dict[asyncio.Task[None], socket] = {}
        self._accepting: asyncio.Task[None] | None = None
        self._pause: asyncio.TimerHandle | None = None
        _listeners.add(self)

    @property
    def is_serving_current_task(self) -> bool:
        """Whether it is asked by a handler, whose request is one of those waited for."""
        return asyncio.current_task() in self._service.shared.tasks

    def start(self) -> None:
        """Accept connections."""
        self._keep_the_date()
        self._listen()

    def end_connections(self) -> None:
        """Let every response from now on say that it is its connection's last."""
        self._service.is_ending = True

    async def close(self, patience: float) -> None:
        """Accept nothing more, finish the requests that have begun, and cut off what is left.

        Args:
            patience: How long the requests may take, in seconds.
        """
        self._service.is_ending = True
        await self._stop_accepting()
        try:
            async with asyncio.timeout(patience):
                await self._until_quiet()
        except TimeoutError:
            await self._cut_off()
        self._clock.cancel()

    def after_fork(self) -> None:
        """Give up in a forked child the sockets that would stay open as long as it lives."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in self._descriptors():
            # Not closed, for the objects that it belongs to here would close it once more.
            os.dup2(nowhere, descriptor, inheritable=False)
        os.close(nowhere)

    def _descriptors(self) -> Iterator[int]:
        transports = [each.transport for each in tuple(self._service.shared.connections)]
        served = (t.get_extra_info("socket") for t in transports if not t.is_closing())
        for each in (self._bound.socket, *self._arriving.values(), *served):
            if each.fileno() >= 0:
                yield each.fileno()

    async def abort(self) -> None:
        """End everything at once."""
        self._cancel_everything()
        await asyncio.to_thread(self._bound.close)

    def _cancel_everything(self) -> set[asyncio.Task[None]]:
        """Cut off every connection, and return the tasks that may take a moment to end."""
        self._service.is_leaving = True
        self._clock.cancel()
        self._deafen()
        for connection in tuple(self._service.shared.connections):
            connection.transport.abort()
        left = {t for t in {*self._service.shared.tasks, *self._arriving} if not t.done()}
        for task in left:
            task.cancel()
        return left

    async def _stop_accepting(self) -> None:
        await asyncio.to_thread(self._bound.unlink)
        await refuse_newcomers(self._bound.socket)
        self._deafen()
        self._service.is_leaving = True
        while self._accept_some():
            pass  # until nobody is left whom the system has let in already
        self._bound.socket.close()
        for connection in tuple(self._service.shared.connections):
            cast("Connection", connection).leave()

    async def _until_quiet(self) -> None:
        shared = self._service.shared
        while shared.connections or shared.tasks or self._arriving:
            if tasks := {*shared.tasks, *self._arriving}:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            else:
                self._service.connection_lost.clear()
                await self._service.connection_lost.wait()

    async def _cut_off(self) -> None:
        left = self._cancel_everything()
        if left:
            self._log.warning("requests were cut off", count=len(left))
            _, deaf = await asyncio.wait(left, timeout=_CANCEL_SECONDS)
            if deaf:
                self._log.warning("handlers do not end when they are cancelled", count=len(deaf))

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(self._bound.socket, self._accept_some)
        except NotImplementedError:  # pragma: no cover  # Windows' loop has no such thing
            self._accepting = loop.create_task(self._accept_one_by_one())

    def _deafen(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        if self._accepting is not None:  # pragma: no cover  # Windows only
            self._accepting.cancel()
        elif self._bound.socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._bound.socket)

    def _accept_some(self) -> bool:
        """Accept who waits, and tell whether more may wait."""
        for _ in range(_TURN):
            try:
                client, _ = self._bound.socket.accept()
            except (BlockingIOError, InterruptedError):
                return False
            except ConnectionError:
                continue  # gone before it was accepted
            except OSError as exc:
                self._rest(exc)
                return False
            self._welcome(client)
        return True

    async def _accept_one_by_one(self) -> None:  # pragma: no cover  # Windows only
        while True:
            try:
                client, _ = await asyncio.get_running_loop().sock_accept(self._bound.socket)
            except ConnectionError:
                continue
            except OSError as exc:
                self._log.warning("no connection can be accepted", reason=exc.strerror)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._welcome(client)

    def _rest(self, exc: OSError) -> None:
        """Accept nobody for a while: most likely there are no file descriptors left."""
        self._log.warning("no connection can be accepted", reason=exc.strerror)
        self._deafen()
        if not self._service.is_leaving:
            self._pause = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._listen)

    def _welcome(self, client: socket) -> None:
        """Serve a connection, or turn it away where there are enough."""
        client.setblocking(False)  # noqa: FBT003  # the socket's form
        if client.family in (AF_INET, AF_INET6):
            # asyncio would do so only for a socket that was told by name that it is TCP.
            with suppress(OSError):  # it may be gone already
                client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        served = len(self._service.shared.connections) + len(self._arriving)
        if served >= self._service.limits.max_connections:
            self._turn_away(client)
            return
        task = asyncio.create_task(self._connect(client))
        self._arriving[task] = client
        task.add_done_callback(self._note_arrival)

    def _note_arrival(self, task: asyncio.Task[None]) -> None:
        client = self._arriving.pop(task)
        if task.cancelled():
            client.close()  # it may not even have begun

    async def _connect(self, client: socket) -> None:
        timeout = self._service.limits.header_timeout if self._ssl_context is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self._service),
                client,
                ssl=self._ssl_context,
                ssl_handshake_timeout=timeout,
                ssl_shutdown_timeout=timeout,
            )
        except OSError as exc:
            self._log.debug("connection failed", reason=str(exc) or type(exc).__name__)

    def _turn_away(self, client: socket) -> None:
        """Answer 503 at once; where TLS is spoken, just close: a handshake is what is spared."""
        self._log.debug("connection turned away", status=503, reason="too many connections")
        with client:
            if self._ssl_context is not None:
                return
            answer = raw_problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many connections",
                [*self._service.shared.default_headers, (b"retry-after", b"1")],
            )
            with suppress(OSError):  # it is gone, or has sent nothing yet
                client.send(answer)
                client.shutdown(SHUT_WR)
                client.recv(_DRAIN_BYTES)  # closed with something unread, it would be reset

    def _keep_the_date(self) -> None:
        """Have every answer carry the time, as RFC 9110, section 6.6.1, wants it."""
        self._service.shared.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        self._clock = asyncio.get_running_loop().call_later(1.0, self._keep_the_date)


_listeners: weakref.WeakSet[Listener] = weakref.WeakSet()


def _after_fork() -> None:
    for listener in tuple(_listeners):
        listener.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
