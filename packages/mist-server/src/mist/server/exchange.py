"""A request and its response, between uvicorn, which speaks HTTP, and the application."""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mist.server.asgi import ASGIApp, Message, Scope
from mist.server.head import Refusal
from mist.server.logger import Log, client_of, request_fields
from mist.server.problem import problem_of_status, send_problem

_CLIENT_CLOSED: Final = 499  # as nginx logs a request whose client went away


class Exchange:
    """A request and its response.

    Attributes:
        received: How many bytes of the body have arrived.
        arrived: Whether the request has arrived whole.
        refusal: Why the body is not taken, if so.
    """

    def __init__(
        self,
        cycle: RequestResponseCycle,
        app: ASGIApp,
        *,
        refusal: Refusal | None,
        access_log: Log | None,
        is_last: Callable[[], bool],
        before_receive: Callable[[], None],
    ) -> None:
        """Begin an exchange.

        Args:
            cycle: uvicorn's part of it.
            app: What answers, unless the request is refused.
            refusal: Why it is refused at once, if so.
            access_log: Where it is noted.
            is_last: Tells, when the response begins, whether the connection ends with it.
            before_receive: Called before the application waits for the request's body.
        """
        self.received = 0
        self.arrived = False
        self.refusal = refusal
        self._cycle = cycle
        self._app = app
        self._access_log = access_log
        self._is_last = is_last
        self._before_receive = before_receive
        self._began = perf_counter()
        self._status: int | None = None
        self._sent = 0
        self._is_deaf = False

    @property
    def is_over(self) -> bool:
        """Whether the response is complete, or its client is gone."""
        return self._cycle.response_complete or self._cycle.disconnected

    @property
    def has_begun(self) -> bool:
        """Whether the response has begun."""
        return self._status is not None

    async def answer(self, scope: Scope) -> None:
        """Have the request answered."""
        try:
            if self.refusal is not None:
                await self._refuse(self.refusal)
            else:
                await self._app(scope, self._receive, self._send)
        finally:
            self._note()

    def refuse(self, refusal: Refusal) -> None:
        """Take no more of the body; the application learns of it when it asks for some."""
        self.refusal = refusal
        self._cycle.keep_alive = False
        self._cycle.body.clear()
        self._cycle.message_event.set()

    def lose(self) -> None:
        """Tell the application, when it asks, that its client is gone."""
        if not self._cycle.response_complete:
            self._cycle.disconnected = True
        self._cycle.message_event.set()

    async def fail(self, problem: dict[str, object]) -> None:
        """Answer with a problem, where the application answered nothing."""
        await send_problem(self._send, problem, [(b"connection", b"close")])

    async def _receive(self) -> Message:
        self._before_receive()
        event = cast("Message", await self._cycle.receive())
        if self.refusal is None:
            return event
        if not self.has_begun:
            await self._refuse(self.refusal)
            self._is_deaf = True
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._is_deaf:
            return
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._cycle.waiting_for_100_continue or self._is_last():
                # Without the go-ahead, nobody knows whether the body or a new request comes next.
                self._cycle.keep_alive = False
        elif self._cycle.scope["method"] != "HEAD":
            self._sent += len(message.get("body", b""))
        await self._cycle.send(cast("Any", message))
        if self._cycle.response_complete:
            self._note()

    async def _refuse(self, refusal: Refusal) -> None:
        await send_problem(self._send, problem_of_status(*refusal), [(b"connection", b"close")])

    def _note(self) -> None:
        """Write the line in the access log, once."""
        log, self._access_log = self._access_log, None
        if log is not None:
            scope = cast("Scope", self._cycle.scope)
            log.info(
                "request",
                **request_fields(scope),
                status=self._status or _CLIENT_CLOSED,
                duration_ms=round((perf_counter() - self._began) * 1000, 3),
                bytes=self._sent,
                client=client_of(scope),
            )
