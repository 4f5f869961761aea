"""A client's connection: uvicorn's, with bounds on what the client may take of the listener."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from socket import AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY, socket
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

MAX_HEAD: Final = 64 << 10
"""The most that the head of a request may have, in bytes."""

_HEAD_TOO_LARGE: Final = f"a head has at most {MAX_HEAD} bytes"

MAX_PIPELINED: Final = 256
"""How many requests may wait for the answer to one before them."""

# How long what a client still sends is read and dropped, once it has been turned away: closed at
# once, the connection would be reset, and who is still sending would never see the answer.
_LINGER_SECONDS: Final = 1.0

_logger = logging.getLogger("mist.transport.http")
_logger.addHandler(logging.NullHandler())


class _Refused(Exception):
    """The head of a request is complete, and not one that can be served."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Connection(HttpToolsProtocol):
    """One client's connection.

    The endpoint bounds the time and the size of a body that it reads. Here is bounded what it
    does not see: heads, what comes between requests, bodies that nobody reads any more, and
    answers that the client does not read.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        *,
        patience: float,
        has_room: Callable[[], bool],
        on_lost: Callable[[], None],
    ) -> None:
        """Wait for a client.

        Args:
            config: How uvicorn speaks HTTP.
            state: Where it keeps the connections and the tasks that answer.
            patience: For a head to arrive, for the rest of a body that nobody reads, and for an
                answer to be read, in seconds.
            has_room: Tells whether the newest connection may stay.
            on_lost: Called when the connection is gone.
        """
        super().__init__(config, state, {})
        self.logger = _logger
        self.access_log = False
        self._patience = patience
        self._has_room = has_room
        self._on_lost = on_lost
        self._heads = 0  # how many are complete
        self._in_head = True
        self._in_body = False
        self._head_size = 0
        self._refusal: _Refused | None = None
        self._lingers = False
        self._read_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first head."""
        super().connection_made(cast("asyncio.Transport", transport))
        sock: socket = transport.get_extra_info("socket")
        if sock.family in (AF_INET, AF_INET6):
            # asyncio would do so only for a socket that was told by name that it is TCP; without
            # it, an answer's body waits for the acknowledgement of its head, 40 ms.
            with suppress(OSError):  # it may be gone already
                sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if self._has_room():
            self._await_head()
        else:
            self._turn_away(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")

    def data_received(self, data: bytes) -> None:
        """Read on, and see to it that a head that has begun to arrive arrives in time."""
        if self._lingers or self.transport.is_closing():
            return
        heads, was_in_body = self._heads, self._in_body
        was_between = not (self._in_head or was_in_body)
        super().data_received(data)
        if self._lingers or self.transport.is_closing():
            return
        if was_between and self._heads == heads:
            # Line ends before a head are nothing to the parser: who sends but these is in a head.
            self._in_head = True
        if not self._in_head:
            return
        if self._heads == heads and not was_in_body:
            # Behind the end of another request, a head is counted from its next part on.
            self._head_size += len(data)
        if self._head_size > MAX_HEAD:
            self._turn_away(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _HEAD_TOO_LARGE)
        elif self._read_timer is None:
            self._await_head()

    def pause_writing(self) -> None:
        """Watch whether the client reads."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._patience, self._look_whether_it_reads)

    def resume_writing(self) -> None:
        """It does."""
        super().resume_writing()
        self._stop_write_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what depends on this connection."""
        self._stop_read_timer()
        self._stop_write_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self._on_lost()

    # What the parser calls

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._head_size = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete: its request is answered when those before it are."""
        self._stop_read_timer()
        self._refusal = self._judge_head()
        if self._refusal is not None:
            raise self._refusal  # the parser goes no further, and uvicorn has it answered
        super().on_headers_complete()
        self._heads += 1
        self._in_head = False
        self._in_body = True
        # Trailers go nowhere, lest they pass for headers, or pile up.
        self.headers = cast("Any", deque[tuple[bytes, bytes]](maxlen=0))

    def on_message_complete(self) -> None:
        """A request has arrived whole."""
        self._in_body = False
        self._stop_read_timer()
        super().on_message_complete()

    # What uvicorn calls

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's form
        """What arrived cannot be served."""
        if self._refusal is not None:
            self._turn_away(self._refusal.status, self._refusal.reason)
        else:
            self._turn_away(HTTPStatus.BAD_REQUEST, "this is not HTTP")

    def on_response_complete(self) -> None:
        """An answer is complete."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.pipeline:
            self.flow.pause_reading()  # those who wait are enough
        elif self._in_body:
            # Its request was answered by its head alone: the rest of it is nobody's.
            self._read_timer = self.loop.call_later(self._patience, self.transport.abort)

    # What this class asks itself, and does

    def _judge_head(self) -> _Refused | None:
        size, hosts, is_encoded = len(self.url), 0, False
        for name, value in self.headers:
            size += len(name) + len(value)
            hosts += name == b"host"
            is_encoded = is_encoded or name == b"transfer-encoding"
        if size > MAX_HEAD:
            return _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _HEAD_TOO_LARGE)
        parser = cast("Any", self.parser)  # is there, as it calls
        is_1_1 = parser.get_http_version() == "1.1"
        if is_encoded and not is_1_1:
            # Somebody in between may not know it, and end the body elsewhere (RFC 9112, 6.1).
            return _Refused(HTTPStatus.BAD_REQUEST, "only HTTP/1.1 has Transfer-Encoding")
        if hosts > 1 or (not hosts and is_1_1):
            # Demanded by RFC 9112, section 3.2.
            return _Refused(HTTPStatus.BAD_REQUEST, "a request has one Host header")
        if parser.should_upgrade():
            # The parser takes what follows for another protocol, the request's body included.
            return _Refused(
                HTTPStatus.NOT_IMPLEMENTED,
                "only HTTP/1.1 is spoken here: send the request without Upgrade",
            )
        if len(self.pipeline) >= MAX_PIPELINED:
            return _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once")
        return None

    def _await_head(self) -> None:
        self._read_timer = self.loop.call_later(self._patience, self._look_for_head)

    # A process that was stopped comes to its timers before it sees what has happened meanwhile.

    def _look_for_head(self) -> None:
        self._read_timer = self.loop.call_later(
            0,
            self._turn_away,
            HTTPStatus.REQUEST_TIMEOUT,
            f"no request arrived within {self._patience:g} seconds",
        )

    def _look_whether_it_reads(self) -> None:
        self._write_timer = self.loop.call_later(0, self.transport.abort)

    def _turn_away(self, status: HTTPStatus, reason: str) -> None:
        """Answer what is no request that can be served, and close the connection."""
        self._stop_read_timer()
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        if cycle is not None and not cycle.response_complete:
            if self._in_head or self.pipeline or cycle.response_started:
                # A request before this one is being answered: an answer here would pass for its.
                self.transport.abort()
                return
            # What is wrong is the body of the request that is being read: this is its answer.
            cycle.disconnected = True
            cycle.message_event.set()
        elif self._in_body:
            self.transport.abort()  # it has its answer
            return
        body = f"{reason}\n".encode()
        self.transport.write(
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        self._lingers = True
        if self.transport.can_write_eof():
            with suppress(OSError):  # the client has gone, and asyncio has not noticed yet
                self.transport.write_eof()
            self.flow.resume_reading()
            self._read_timer = self.loop.call_later(_LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
