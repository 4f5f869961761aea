"""The server: it listens, routes, and stops without losing a request."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, overload

from mist.errors import Code
from mist.server.address import TCPAddress, UnixAddress, parse_address
from mist.server.asgi import ASGIApp, Middleware
from mist.server.binding import BoundSocket
from mist.server.errors import ServerError
from mist.server.interrupts import Interrupts
from mist.server.lifespan import Lifespan
from mist.server.limits import Limits
from mist.server.logger import Log
from mist.server.router import H, Router

if TYPE_CHECKING:
    import logging
    import ssl
    from types import TracebackType

    from mist.server.handler import Handler
    from mist.server.listener import Listener
    from mist.server.logger import Logger

_DRAIN_SECONDS: Final = 3.0
_WILDCARDS: Final = ("", "::", "0.0.0.0")  # noqa: S104  # compared


class Readiness(Protocol):
    """Tells others whether to send requests here; the `Handler` of mist.health is one."""

    def set_ready(self, ready: bool, /) -> object: ...  # noqa: D102, FBT001  # mist.health's form


class Server:
    """An HTTP server: a router, a socket, and an end that loses no request.

    `handle` says what is served. Then either `listen_and_serve()` in a program without an event
    loop of its own, or `await serve()` in one, or `async with server:` to serve meanwhile.

    Args:
        addr: `host:port`, `:port` for every interface, `[::1]:port`, or `unix:/path`; port 0 is
            any free one.
        middleware: Functions from an ASGI application to one, the outermost first.
        logger: Where failures are logged; has `debug`, `info`, `warning` and `exception` that take
            keyword fields, as those of mist.logging and structlog do, or is one of the standard
            library, whose `mist.server` it is by default.
        access_log: Whether a line is logged for each request, at level info: `method`, `path`,
            `status`, `duration_ms`, `bytes` (of the response's body) and `client`.
        readiness: What says that the server is ready, such as the `Handler` of mist.health: it is
            told first when the server stops.
        drain_delay: How long, once it stops, the server goes on accepting connections, in seconds,
            so that whoever sends requests here can learn to send them elsewhere. 3 where
            `readiness` is given, else 0.
        shutdown_timeout: How long requests may take after that, in seconds.
        header_timeout: How long a request's head may take to arrive, and a TLS handshake, in
            seconds.
        body_timeout: How long the arrival of a body may stay behind `min_rate`, in seconds.
        write_timeout: How long a client's reading may stay behind `min_rate`, in seconds, while
            there is more for it than buffers hold.
        idle_timeout: How long a connection is kept without a request, in seconds.
        min_rate: In bytes per second, on average over each `body_timeout` or `write_timeout`.
        max_body_size: Of a request's body, in bytes; more is answered 413.
        max_connections: How many connections are served at once; more are answered 503, or where
            TLS is spoken, closed.
        backlog: How many connections may wait to be accepted.
        cert_file: The certificate chain (PEM), for TLS 1.2 or newer.
        key_file: Its private key (PEM), where that is not in `cert_file`.
        ssl_context: Instead of both, a context that is ready.
        unix_mode: The mode of a Unix socket's file.

    Raises:
        ServerError: An option or the address is wrong (code `validation`).
    """

    def __init__(
        self,
        addr: str,
        *,
        middleware: Iterable[Middleware] = (),
        logger: "Logger | logging.Logger | logging.LoggerAdapter[Any] | None" = None,
        access_log: bool = False,
        readiness: Readiness | None = None,
        drain_delay: float | None = None,
        shutdown_timeout: float = 5.0,
        header_timeout: float = 10.0,
        body_timeout: float = 10.0,
        write_timeout: float = 60.0,
        idle_timeout: float = 120.0,
        min_rate: float = 1024.0,
        max_body_size: int = 10 << 20,
        max_connections: int = 1024,
        backlog: int = 1024,
        cert_file: str | PathLike[str] | None = None,
        key_file: str | PathLike[str] | None = None,
        ssl_context: "ssl.SSLContext | None" = None,
        unix_mode: int = 0o600,
    ) -> None:
        self._address = parse_address(addr)
        self._limits = Limits(
            header_timeout=header_timeout,
            body_timeout=body_timeout,
            write_timeout=write_timeout,
            idle_timeout=idle_timeout,
            min_rate=min_rate,
            max_body_size=max_body_size,
            max_connections=max_connections,
        )
        if drain_delay is None:
            drain_delay = 0.0 if readiness is None else _DRAIN_SECONDS
        if not (drain_delay >= 0 and shutdown_timeout >= 0):  # which NaN is not
            raise ServerError(Code.VALIDATION, "drain_delay and shutdown_timeout are from 0 on")
        if (key_file and not cert_file) or (cert_file and ssl_context):
            raise ServerError(
                Code.VALIDATION, "TLS takes cert_file, and key_file with it, or ssl_context alone"
            )
        self._log = Log(logger)
        self._access_log = access_log
        self._readiness = readiness
        self._drain_delay = drain_delay
        self._shutdown_timeout = shutdown_timeout
        self._backlog = backlog
        self._cert_file = cert_file
        self._key_file = key_file
        self._ssl_context = ssl_context
        self._unix_mode = unix_mode
        self._router = Router(middleware=middleware, logger=logger)
        self._lifespan = Lifespan(self._router)
        self._listener: Listener | None = None
        self._was_started = False
        self._stopping: asyncio.Task[None] | None = None
        self._is_told_to_stop = False
        self._has_stopped = asyncio.Event()

    @property
    def addr(self) -> str:
        """Where it listens; once it does, with the real port."""
        return str(self._address)

    @property
    def url(self) -> str:
        """What reaches it from this machine; a Unix socket's is `http+unix:` and its path."""
        scheme = "https" if self._cert_file or self._ssl_context else "http"
        if isinstance(self._address, UnixAddress):
            return f"{scheme}+{self._address}"
        host = "127.0.0.1" if self._address.host in _WILDCARDS else self._address.host
        return f"{scheme}://{TCPAddress(host, self._address.port)}"

    @property
    def app(self) -> ASGIApp:
        """What it serves, as an ASGI 3 application, to be mounted or tested elsewhere."""
        return self._router

    @overload
    def handle(self, pattern: str, app: None = None) -> Callable[[H], H]: ...

    @overload
    def handle(self, pattern: str, app: "Handler | ASGIApp") -> None: ...

    def handle(
        self, pattern: str, app: "Handler | ASGIApp | None" = None
    ) -> Callable[[H], H] | None:
        """Register what serves a pattern's requests, see `Router.handle`.

        Args:
            pattern: Such as `GET /items/{id}`, `/files/{path...}`, `example.com/`.
            app: `async def (Request) -> Response`, or an ASGI 3 application; without it, a
                decorator is returned.

        Raises:
            PatternError: It is no pattern, or conflicts with another.
            ServerError: `app` is neither of the two.
        """
        return self._router.handle(pattern, app)

    def mount(self, prefix: str, app: ASGIApp) -> None:
        """Register an application for all paths below a prefix, see `Router.mount`.

        Args:
            prefix: Such as `/api`: without a slash at its end.
            app: An ASGI 3 application.

        Raises:
            PatternError: It is no prefix, or conflicts with a pattern.
            ServerError: `app` is no ASGI application.
        """
        self._router.mount(prefix, app)

    def listen_and_serve(
        self, *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    ) -> None:
        """Serve until SIGINT or SIGTERM, then shut down and return; a second signal exits at once.

        The address is printed to stderr. The process that a second signal ends has the exit status
        130 or 143. Called in another thread than the main one, it leaves signals alone, and ends
        by `shutdown`.

        Args:
            loop_factory: Makes the event loop, such as `uvloop.new_event_loop`.

        Raises:
            ServerError: It cannot start; the text says why.
        """
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(self._serve_until_signalled())

    async def serve(self) -> None:
        """Serve until `shutdown` is called.

        A cancellation shuts down, too, without `drain_delay`; a second one cuts off what is left.

        Raises:
            ServerError: It cannot start, or an application does not end well; the text says why.
        """
        await self._start()
        await self._serve_until_stopped()

    async def shutdown(self) -> None:
        """Stop serving: say so first, then accept nothing more, then finish what has begun.

        `readiness` is told, and every response says that its connection ends with it, while for
        `drain_delay` seconds connections are still accepted. Then nobody listens any more, and
        requests have `shutdown_timeout` seconds before they are cut off. May be called again, and
        from any task; a caller that is cancelled leaves the shutdown to go on. In a handler it
        returns at once, as the handler's own request is one of those waited for.

        Raises:
            ServerError: An application does not end well; the text says why.
        """
        stopping = self._stop(self._drain_delay)
        if stopping is not None and not self._is_called_by_handler():
            await asyncio.shield(stopping)

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        await self.shutdown()

    async def _start(self) -> None:
        if self._was_started:
            raise ServerError(
                Code.CONFLICT, f"the server at {self.addr} has served already; make another one"
            )
        self._was_started = True
        listener_type = await asyncio.to_thread(_import_listener)
        if self._cert_file is not None:
            self._ssl_context = await asyncio.to_thread(
                _import_server_context(), self._cert_file, self._key_file
            )
        bound = await self._bind()
        try:
            self._address = bound.address
            await self._lifespan.start()
            listener = listener_type(
                bound,
                self._router,
                state=self._lifespan.state,
                limits=self._limits,
                log=self._log,
                access_log=self._access_log,
                ssl_context=self._ssl_context,
            )
            listener.start()
        except BaseException:
            try:
                await self._lifespan.abandon()
            finally:  # also where it is cancelled once more
                await asyncio.to_thread(bound.close)
            raise
        self._listener = listener
        if self._is_told_to_stop:
            self._stop(0.0)

    async def _bind(self) -> BoundSocket:
        bind = partial(BoundSocket, self._address, backlog=self._backlog, unix_mode=self._unix_mode)
        binding = asyncio.create_task(asyncio.to_thread(bind))
        try:
            return await asyncio.shield(binding)
        except asyncio.CancelledError:
            # The thread cannot be stopped: what it will have bound is given back.
            binding.add_done_callback(_give_back)
            raise

    def _stop(self, drain_delay: float) -> "asyncio.Task[None] | None":
        """Begin to stop, unless that has begun; without a listener there is nothing to stop yet."""
        self._is_told_to_stop = True
        if self._stopping is None and self._listener is not None:
            if self._readiness is not None:
                self._say_not_ready(self._readiness)
            self._listener.end_connections()
            self._stopping = asyncio.create_task(self._shut_down(self._listener, drain_delay))
        return self._stopping

    async def _shut_down(self, listener: "Listener", drain_delay: float) -> None:
        try:
            await asyncio.sleep(drain_delay)
            await listener.close(self._shutdown_timeout)
            async with asyncio.timeout(self._shutdown_timeout):
                await self._lifespan.stop()
        except TimeoutError:
            self._log.warning("an application did not end in time")
        except BaseException:
            await listener.abort()
            await self._lifespan.abandon()
            raise
        finally:
            self._has_stopped.set()

    def _say_not_ready(self, readiness: Readiness) -> None:
        try:
            readiness.set_ready(False)
        except Exception:  # noqa: BLE001  # whatever it is, the server has to stop
            self._log.exception("readiness cannot be told")

    def _is_called_by_handler(self) -> bool:
        return self._listener is not None and self._listener.is_serving_current_task

    async def _serve_until_stopped(self) -> None:
        try:
            await self._has_stopped.wait()
        finally:
            stopping = self._stop(0.0)
            if stopping is not None:
                try:
                    await asyncio.shield(stopping)
                except asyncio.CancelledError:
                    stopping.cancel()
                    raise

    async def _serve_until_signalled(self) -> None:
        starting = asyncio.create_task(self._start())

        def stop() -> None:
            _say("shutting down")
            starting.cancel()
            self._stop(self._drain_delay)

        with Interrupts(stop):
            await asyncio.wait([starting])
            if starting.cancelled():
                return
            starting.result()
            _say(f"listening on {self.url}{self._scope_of_address()}")
            await self._serve_until_stopped()

    def _scope_of_address(self) -> str:
        is_wild = isinstance(self._address, TCPAddress) and self._address.host in _WILDCARDS
        return " (every interface)" if is_wild else ""


def _import_listener() -> "type[Listener]":
    """Import what brings uvicorn along; takes long enough to be done in a thread."""
    from mist.server.listener import Listener  # noqa: PLC0415  # see above

    return Listener


def _import_server_context() -> "Callable[..., ssl.SSLContext]":
    from mist.server.tls import server_context  # noqa: PLC0415  # not without TLS

    return server_context


def _give_back(binding: "asyncio.Task[BoundSocket]") -> None:
    if not binding.cancelled() and binding.exception() is None:
        binding.get_loop().run_in_executor(None, binding.result().close)


def _say(text: str) -> None:
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError, ValueError):
        try:
            print(text, file=sys.stderr, flush=True)  # noqa: T201  # where the contract has it
        except BrokenPipeError:
            # Nobody reads it any more. What stays in its buffer would make the exit fail, too.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stderr.fileno())
            os.close(nowhere)
