"""A connection: uvicorn's, with bounds on what its client may do, and with an end in order."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mist.errors import Code, MistError
from mist.server.asgi import Header, Receive, Scope, Send
from mist.server.exchange import Exchange, Outlet
from mist.server.faults import is_disconnect
from mist.server.head import HEAD_TOO_LARGE, MAX_HEAD, Refusal, judge_head, too_large
from mist.server.logger import client_of, request_fields
from mist.server.problem import raw_problem
from mist.server.service import Service

_MAX_PIPELINED: Final = 256
# How long what a client still sends is read and dropped, once it has its answer: closed at once,
# the connection would be reset, and a client that is still sending would never see the answer.
_LINGER_SECONDS: Final = 2.0
# How long a connection without a request is kept once the server stops: one may be on its way.
_FAREWELL_SECONDS: Final = 0.25

# What uvicorn would say of its own accord is said elsewhere, or is of no interest to anybody.
_silent = logging.Logger("silent", level=logging.CRITICAL + 1)  # noqa: LOG001  # in no hierarchy


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.config, service.shared, service.state)
        self.logger = _silent
        self.access_log = False
        self.app = cast("Any", self._answer)
        self._service = service
        self._limits = service.limits
        self._exchange: Exchange | None = None  # whose request is arriving, or arrived last
        self._unanswered: deque[Exchange] = deque()
        self._open: set[Exchange] = set()
        self._in_head = True
        self._head_size = 0
        self._idle_size = 0  # what arrived of a body's framing since the last of the body itself
        self._is_upgrade = False
        self._lingers = False
        self._read_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._leave_timer: asyncio.TimerHandle | None = None
        self._was_held_up = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first head."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.outlet = Outlet(self.transport, self.close)
        self._start_reading_timer()
        if self._service.is_leaving:
            self.leave()

    def data_received(self, data: bytes) -> None:
        """Read on, and see to it that what has begun to arrive arrives in time."""
        if self._lingers or self._is_upgrade or self.transport.is_closing():
            return
        before, was_between = self._exchange, self._has_arrived
        was_in_body = not (self._in_head or was_between)
        received = before.received if before is not None else 0
        super().data_received(data)
        exchange = self._exchange
        if exchange is not before and self._has_arrived:
            return  # mostly, a request arrives in one piece
        if self._lingers or self.transport.is_closing():
            return
        if was_between and exchange is before:
            # Line ends before a head are nothing to the parser: who sends but these is in a head.
            self._in_head = True
        if self._in_head:
            # Behind the end of another request, a head is counted from its next part on.
            self._count_head(0 if was_in_body or exchange is not before else len(data))
        elif exchange is before and exchange is not None:
            self._count_framing(exchange, 0 if exchange.received > received else len(data))
        if self._read_timer is None and not self._has_arrived and not self._lingers:
            self._start_reading_timer()

    def pause_writing(self) -> None:
        """Watch whether the client reads."""
        super().pause_writing()
        self._start_writing_timer()

    def resume_writing(self) -> None:
        """It does."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_writing_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what depends on this connection."""
        self._stop_reading_timer()
        self._stop_writing_timer()
        self._unset_keepalive_if_required()
        for exchange in self._open:
            exchange.lose()
        super().connection_lost(exc)
        self._service.connection_lost.set()

    # What the parser calls

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._head_size = 0
        super().on_message_begin()
        # What sends to a client that is gone is told so, which uvicorn alone does not do.
        self.scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}

    def on_headers_complete(self) -> None:
        """A head is complete: its request is answered when those before it are."""
        self._in_head = False
        self._stop_reading_timer()
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise ValueError("too many requests wait for an answer")
        parser = cast("Any", self.parser)  # is there, as it calls
        url = self.url
        if not url.startswith(b"/") and parser.get_method() == b"CONNECT":
            self.url = b"/"  # for uvicorn cannot parse it, and it is refused anyway
        super().on_headers_complete()
        cycle, scope = self.cycle, self.scope
        cycle.transport = cast("Any", self.outlet)
        if parser.should_upgrade():
            self._is_upgrade = True
            cycle.keep_alive = False
        refusal = judge_head(
            scope["method"],
            url,
            self.headers,
            is_1_1=scope["http_version"] == "1.1",
            is_upgrade=self._is_upgrade,
            max_body_size=self._limits.max_body_size,
        )
        self.headers = _Trailers()
        self._idle_size = 0
        exchange = self._exchange = Exchange(self, cycle, refusal, self._service.access_log)
        self._open.add(exchange)
        self._unanswered.append(exchange)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, unless it is refused."""
        exchange = self._exchange
        if exchange is None or exchange.refusal is not None:
            return
        exchange.received += len(body)
        if exchange.received > self._limits.max_body_size:
            self._refuse_body(exchange, too_large(self._limits.max_body_size))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has arrived whole."""
        if self._exchange is not None:
            self._exchange.arrived = True
            self._stop_reading_timer()
        super().on_message_complete()

    # What uvicorn calls

    def on_response_complete(self) -> None:
        """A response is complete."""
        if self._lingers:
            return
        self.note_interest()
        super().on_response_complete()
        if self.pipeline and not self.transport.is_closing():
            self.flow.pause_reading()  # those who wait are enough
        if self._service.is_leaving:
            self.leave()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's form
        """What arrives is not HTTP."""
        exchange = self._exchange
        if exchange is None or exchange.arrived or self._in_head:
            self._turn_away(HTTPStatus.BAD_REQUEST, "this is not HTTP")
        else:
            self._refuse_body(exchange, (HTTPStatus.BAD_REQUEST, "the body is not as HTTP has it"))

    def timeout_keep_alive_handler(self) -> None:
        """No request came for a long time."""
        self._close()

    # What an exchange asks and tells

    @property
    def ends_now(self) -> bool:
        """Whether a response that begins now is the last of this connection."""
        return self._service.is_ending and not self.pipeline

    def note_interest(self) -> None:
        """What did not arrive because nobody took it is no fault of the client."""
        self._was_held_up = self._was_held_up or self.flow.read_paused

    # What the server calls

    def leave(self) -> None:
        """Close the connection unless a request comes soon."""
        if self._leave_timer is not None:
            self._leave_timer.cancel()
        self._leave_timer = self.loop.call_later(_FAREWELL_SECONDS, self._leave_unless_busy)

    def close(self) -> None:
        """Close the connection once the client has what was written for it.

        A client that is still sending is listened to for a while, and not heeded.
        """
        if self._lingers or self.transport.is_closing():
            return
        if self._has_arrived and not self._is_upgrade:
            self._close()
            return
        self._lingers = True
        if self.transport.can_write_eof():
            with suppress(OSError):  # the client has gone, and asyncio has not noticed yet
                self.transport.write_eof()
        self.flow.resume_reading()
        self._stop_reading_timer()
        self._read_timer = self.loop.call_later(_LINGER_SECONDS, self._close)

    def _close(self) -> None:
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._start_writing_timer()

    def _leave_unless_busy(self) -> None:
        if not self._is_answering and not (self._in_head and self._head_size):
            self._close()

    # What this class asks itself, and does

    @property
    def _has_arrived(self) -> bool:
        return self._exchange is not None and self._exchange.arrived and not self._in_head

    @property
    def _is_answering(self) -> bool:
        return any(not exchange.is_over for exchange in self._open)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # the exchange has its own
        exchange = self._unanswered.popleft()
        try:
            await self._serve(exchange, scope)
            if exchange.is_over:
                return
            if exchange.has_begun:
                self.transport.abort()
            else:
                await exchange.fail(MistError(Code.INTERNAL, "").to_problem())
        finally:
            self._open.discard(exchange)
            exchange.end()

    async def _serve(self, exchange: Exchange, scope: Scope) -> None:
        log = self._service.log
        try:
            await exchange.answer(self._service.app, scope)
            if not exchange.is_over:
                log.warning("response is not whole", **request_fields(scope))
        except (Exception, SystemExit, KeyboardInterrupt) as exc:
            if not is_disconnect(exc):
                log.exception("request failed", **request_fields(scope))

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD:
            self._turn_away(*HEAD_TOO_LARGE)

    def _count_framing(self, exchange: Exchange, size: int) -> None:
        """Bound what a client sends in a body that is none of it, such as endless trailers."""
        self._idle_size = self._idle_size + size if size else 0
        if self._idle_size > MAX_HEAD:
            self._refuse_body(exchange, HEAD_TOO_LARGE)

    def _refuse_body(self, exchange: Exchange, refusal: Refusal) -> None:
        if exchange.refusal is not None:
            return
        exchange.refuse(refusal)
        if exchange.is_over:
            self.close()
        else:
            self.flow.pause_reading()

    def _turn_away(self, status: HTTPStatus, reason: str) -> None:
        """Answer what has not become a request."""
        client = client_of({"client": self.client})
        self._service.log.debug(
            "connection turned away", status=status.value, reason=reason, client=client
        )
        if self._is_answering:
            # An answer here would be taken for that of the request before.
            self.transport.abort()
            return
        self.transport.write(raw_problem(status, reason, self._service.shared.default_headers))
        self.close()

    # Deadlines

    def _start_reading_timer(self) -> None:
        if self._in_head:
            self._read_timer = self.loop.call_later(
                self._limits.header_timeout, self._look_again, self._check_head
            )
        elif self._exchange is not None:
            self._read_timer = self.loop.call_later(
                self._limits.body_timeout,
                self._look_again,
                partial(self._check_body, self._exchange, self._exchange.received),
            )

    def _look_again(self, check: Callable[[], None]) -> None:
        """Check when what has arrived is read: a stopped process comes to its timers before that."""
        self._read_timer = self.loop.call_later(0, check)

    def _stop_reading_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _check_head(self) -> None:
        self._read_timer = None
        if self._has_been_held_up():
            self._start_reading_timer()
        else:
            seconds = f"{self._limits.header_timeout:g} seconds"
            self._turn_away(HTTPStatus.REQUEST_TIMEOUT, f"no head arrived within {seconds}")

    def _check_body(self, exchange: Exchange, before: int) -> None:
        self._read_timer = None
        if self._has_been_held_up() or self._is_enough(
            exchange.received - before, self._limits.body_timeout
        ):
            self._start_reading_timer()
        else:
            self._refuse_body(exchange, (HTTPStatus.REQUEST_TIMEOUT, "the body arrives too slowly"))

    def _has_been_held_up(self) -> bool:
        """Tell whether the server itself did not read, since this was last asked."""
        was_held_up = self._was_held_up or self.flow.read_paused
        self._was_held_up = False
        return was_held_up

    def _start_writing_timer(self) -> None:
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(
                self._limits.write_timeout,
                self._look_whether_it_reads,
                self.transport.get_write_buffer_size(),
            )

    def _look_whether_it_reads(self, before: int) -> None:
        self._write_timer = self.loop.call_later(0, self._check_writing, before)

    def _stop_writing_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _check_writing(self, before: int) -> None:
        self._write_timer = None
        left = self.transport.get_write_buffer_size()
        if not left:
            return
        if self._is_enough(before - left, self._limits.write_timeout):
            self._start_writing_timer()
        else:
            self.transport.abort()

    def _is_enough(self, progress: int, seconds: float) -> bool:
        return progress > 0 and progress >= self._limits.min_rate * seconds


class _Trailers(list[Header]):
    """Where uvicorn puts trailers: nowhere, lest they pass for headers, or pile up."""

    def append(self, _: Header) -> None:
        """Forget it."""
