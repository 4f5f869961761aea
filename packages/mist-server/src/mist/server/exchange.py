"""A request and its response, between uvicorn, which speaks HTTP, and the application."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from mist.errors import Code
from mist.server.asgi import ASGIApp, ClientGone, Message, Scope
from mist.server.errors import ServerError
from mist.server.head import Refusal
from mist.server.logger import Log, client_of, request_fields
from mist.server.problem import problem_of_status, send_problem

if TYPE_CHECKING:
    from mist.server.connection import Connection

_ONE_WRITE: Final = 64 << 10  # more than this is not copied to be sent together with its head
_CLOSE: Final = (b"connection", b"close")
_CLIENT_CLOSED: Final = 499  # as nginx logs a request whose client went away


class Outlet:
    """What uvicorn uses of a transport, able to hold writes back, and with a close of our own."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        """Wrap a transport.

        Args:
            transport: What is written to.
            close: Called instead of its close, when nothing is held back any more.
        """
        self.is_closing = transport.is_closing
        self._transport = transport
        self._close = close
        self._held: bytes | None = None

    def hold(self) -> None:
        """Hold back what is written, until `release`."""
        self._held = b""

    def release(self) -> None:
        """Write what was held back, in one piece."""
        held, self._held = self._held, None
        if held:
            self._transport.write(held)

    def write(self, data: bytes) -> None:
        """Write, or hold back."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held += data

    def close(self) -> None:
        """Close when what was written has been sent."""
        self.release()
        self._close()


class Exchange:
    """A request and its response.

    Attributes:
        received: How many bytes of the body have arrived.
        arrived: Whether the request has arrived whole.
        refusal: Why the body is not taken, if so.
    """

    __slots__ = (
        "_access_log",
        "_began",
        "_connection",
        "_cycle",
        "_is_deaf",
        "_sent",
        "_start",
        "_status",
        "arrived",
        "received",
        "refusal",
    )

    def __init__(
        self,
        connection: "Connection",
        cycle: RequestResponseCycle,
        refusal: Refusal | None,
        access_log: Log | None,
    ) -> None:
        """Begin an exchange.

        Args:
            connection: The connection that it is on.
            cycle: uvicorn's part of it.
            refusal: Why it is refused at once, if so.
            access_log: Where it is noted.
        """
        self.received = 0
        self.arrived = False
        self.refusal = refusal
        self._connection = connection
        self._cycle = cycle
        self._access_log = access_log
        self._start: Message | None = None
        self._is_deaf = False
        if access_log is not None:
            self._began = perf_counter()
            self._status = _CLIENT_CLOSED
            self._sent = 0

    @property
    def is_over(self) -> bool:
        """Whether the response is complete, or its client is gone."""
        return self._cycle.response_complete or self._cycle.disconnected

    @property
    def has_begun(self) -> bool:
        """Whether anything of the response has been sent."""
        return self._cycle.response_started

    async def answer(self, app: ASGIApp, scope: Scope) -> None:
        """Have the request answered."""
        if self.refusal is None:
            await app(scope, self._receive, self._send)
        else:
            await self._refuse(self.refusal)

    def end(self) -> None:
        """Note the exchange, whatever has become of it, unless that is done."""
        if self._access_log is not None:
            self._note(self._access_log)

    def refuse(self, refusal: Refusal) -> None:
        """Take no more of the body; the application learns of it when it asks for some."""
        self.refusal = refusal
        self._cycle.keep_alive = False
        # bytes or bytearray, as uvicorn's version has it
        self._cycle.body = type(self._cycle.body)()
        self._cycle.message_event.set()

    def lose(self) -> None:
        """Tell the application, when it asks, that its client is gone."""
        if not self._cycle.response_complete:
            self._cycle.disconnected = True
        self._cycle.message_event.set()

    async def fail(self, problem: dict[str, object]) -> None:
        """Answer with a problem, where nothing has been sent yet."""
        self._start = None
        await send_problem(self._send, problem)

    async def _receive(self) -> Message:
        self._connection.note_interest()
        event = cast("Message", await self._cycle.receive())
        if self.refusal is None:
            return event
        if not self.has_begun:
            await self._refuse(self.refusal)
            self._is_deaf = True
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        cycle, start = self._cycle, self._start
        if self._is_deaf or cycle.disconnected:
            raise ClientGone("the client is gone")
        if start is not None:
            await self._send_together(start, message)
        elif message["type"] == "http.response.start" and not cycle.response_started:
            for name, _ in message.get("headers", ()):
                if name == b"content-length":
                    self._start = message  # its body follows at once: they go out in one packet
                    return
            await self._begin(message)
        else:
            await cycle.send(cast("Any", message))
        if self._access_log is not None:
            self._count(message)
            if cycle.response_complete:
                self._note(self._access_log)

    async def _send_together(self, start: Message, body: Message) -> None:
        self._start = None
        outlet = self._connection.outlet
        if len(body.get("body", b"")) < _ONE_WRITE:
            outlet.hold()
        try:
            await self._begin(start)
            await self._cycle.send(cast("Any", body))
        finally:
            outlet.release()

    async def _begin(self, start: Message) -> None:
        """Send the head of the response.

        Raises:
            ServerError: It cannot be sent. Nothing has been, so another can be sent instead.
        """
        cycle = self._cycle
        try:
            await cycle.send(self._begun(start))
        except Exception as exc:
            cycle.response_started = False
            cycle.chunked_encoding = None
            raise ServerError(
                Code.INTERNAL, f"the response has {_fault_of_head(start)}", cause=exc
            ) from exc

    def _begun(self, start: Message) -> Any:
        """Return the response's beginning as uvicorn takes it."""
        cycle = self._cycle
        self._status = start["status"]
        if cycle.waiting_for_100_continue or self._connection.ends_now:
            # Without the go-ahead, nobody knows whether the body or a new request comes next.
            cycle.keep_alive = False
        if cycle.keep_alive:
            return start
        headers = [header for header in start.get("headers", ()) if header[0] != b"connection"]
        return {**start, "headers": [*headers, _CLOSE]}

    async def _refuse(self, refusal: Refusal) -> None:
        await send_problem(self._send, problem_of_status(*refusal), [_CLOSE])

    def _count(self, message: Message) -> None:
        if self._cycle.scope["method"] != "HEAD":
            self._sent += len(message.get("body", b""))

    def _note(self, log: Log) -> None:
        """Write the line in the access log, once."""
        self._access_log = None
        scope = cast("Scope", self._cycle.scope)
        log.info(
            "request",
            **request_fields(scope),
            status=self._status,
            duration_ms=round((perf_counter() - self._began) * 1000, 3),
            bytes=self._sent,
            client=client_of(scope),
        )


def _fault_of_head(start: Message) -> str:
    """Tell what of a response's head HTTP does not allow; a value may be secret, a name is not."""
    if start["status"] not in STATUS_LINE:
        return f"the status {start['status']!r}, which HTTP does not have"
    for name, value in start.get("headers", ()):
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            return f"a header {name!r} that is not in bytes"
        if HEADER_RE.search(name):
            return f"a header {name!r}, which is no name"
        if HEADER_VALUE_RE.search(value):
            return f"a line end or control character in the header {name!r}"
    return "a head that cannot be sent"
