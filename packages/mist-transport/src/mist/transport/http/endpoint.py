"""The receiving side of HTTP: an ASGI application that puts messages into an inbox."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import msgspec

from mist.protocol import Message, MessageTooLarge, ProtocolError
from mist.protocol.limits import ENVELOPE_ALLOWANCE, MAX_ENVELOPE_SIZE
from mist.transport.errors import BufferFull, TransportClosed
from mist.transport.http.acknowledgements import Acknowledgements
from mist.transport.http.batch import JSON, NDJSON, BatchAnswer, Refusal
from mist.transport.http.gate import (
    Gate,
    Header,
    Refused,
    Scope,
    allowed_methods,
    allowed_origin,
)
from mist.transport.inbox import Inbox

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Received = tuple[Message, Mapping[str, str]]
"""A message, and the trace headers that it came with."""

_NO_TRACE: Final[Mapping[str, str]] = MappingProxyType({})
_TEXT: Final[Header] = (b"content-type", b"text/plain; charset=utf-8")
_RETRY_AFTER: Final[Header] = (b"retry-after", b"1")
_CLOSE: Final[Header] = (b"connection", b"close")
# An answer that is given before the body has been read would be lost if the connection were
# closed under a peer that still writes: so what it writes is read for a while, and dropped.
_LINGER_SECONDS: Final = 1.0
_SECOND_LOOK: Final = 0.1  # seconds after a deadline
_MOST_DIGITS: Final = 20  # of Content-Length that matter: what has more is too long in any case
# Lines of one batch, blank ones included: each may be refused with a text, so that a body of many
# short ones would have an answer fifty times its size.
_MOST_LINES: Final = 16_384
# After this many messages of one batch, others get their turn on the event loop.
_TURN: Final = 1024

_encode = msgspec.json.Encoder().encode


class _Disconnected(Exception):
    """The peer went away before its request was complete."""


class Endpoint:
    """An ASGI 3 application that takes messages by POST; mount it in any web application.

    What a router sends here is taken, whatever its path: routing is the router's business. Only
    where there is none does the endpoint keep to its own path.
    """

    def __init__(
        self,
        inbox: Inbox[Received],
        gate: Gate,
        *,
        batch: bool,
        max_message_size: int,
        max_arriving: int,
        body_timeout: float,
        acknowledgements: Acknowledgements | None,
    ) -> None:
        self._inbox = inbox
        self._gate = gate
        self._max_message_size = max_message_size
        self._max_arriving = max_arriving
        self._arriving = 0  # bytes of bodies that are being read
        self._body_timeout = body_timeout
        self._acknowledgements = acknowledgements
        kinds = f"{JSON}, {NDJSON}" if batch else JSON
        self._accept_post: Header = (b"accept-post", kinds.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await _serve_other(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        origin = ""
        try:
            origin = self._gate.foreign_origin(headers)
            if scope["method"] == "OPTIONS":
                await self._answer(send, HTTPStatus.NO_CONTENT, b"", allowed_methods(origin))
                return
            batch = self._gate.admit(scope, headers)
            body = await self._body(headers, receive, batch=batch)
            trace = _trace(scope, headers)
            if batch:
                count, refusals = await self._take_batch(body, trace)
                await self._until_acknowledged()
                await self._tell_fates(send, count, refusals, allowed_origin(origin))
            else:
                await self._take(body, trace)
                await self._until_acknowledged()
                await self._answer(send, HTTPStatus.ACCEPTED, b"", allowed_origin(origin))
        except Refused as refused:
            await self._refuse(refused, receive, send, allowed_origin(origin))
        except _Disconnected:
            pass

    async def _body(
        self, headers: Mapping[bytes, bytes], receive: Receive, *, batch: bool
    ) -> bytes:
        # A batch has messages of any size up to the limit, so it may be as long as any message.
        limit = MAX_ENVELOPE_SIZE if batch else self._max_message_size + ENVELOPE_ALLOWANCE
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced.lstrip(b"0")[:_MOST_DIGITS] or b"0") > limit:
            raise _too_long(limit)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as deadline:
                # A process that was stopped comes to its timers before it sees what has arrived.
                timer = loop.call_later(
                    self._body_timeout, lambda: deadline.reschedule(loop.time() + _SECOND_LOOK)
                )
                try:
                    return await self._read(receive, limit)
                finally:
                    timer.cancel()
        except TimeoutError:
            raise Refused(
                HTTPStatus.REQUEST_TIMEOUT,
                f"the body did not arrive within {self._body_timeout:g} seconds",
                _CLOSE,
            ) from None

    async def _read(self, receive: Receive, limit: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise _Disconnected
                chunk: bytes = event.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise _too_long(limit)
                if not event.get("more_body", False):
                    return b"".join([*chunks, chunk]) if chunks else chunk
                chunks.append(chunk)
                self._arriving += len(chunk)
                # One body alone is bounded by its own limit.
                if self._arriving > self._max_arriving and self._arriving > size:
                    raise Refused(
                        HTTPStatus.SERVICE_UNAVAILABLE, "too much is arriving at once", _CLOSE
                    )
        finally:
            self._arriving -= sum(map(len, chunks))

    async def _take(self, body: bytes, trace: Mapping[str, str]) -> None:
        refusal = await self._put_in_turn(0, body, trace)
        if refusal is not None:
            raise Refused(HTTPStatus(refusal.status), refusal.error)

    async def _take_batch(self, body: bytes, trace: Mapping[str, str]) -> tuple[int, list[Refusal]]:
        """Take what can be taken, and return how many there were and which were not taken."""
        if body.count(b"\n") > _MOST_LINES:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a batch has at most {_MOST_LINES} lines"
            )
        refusals: list[Refusal] = []
        count = 0
        for line in body.split(b"\n"):
            if not line or line.isspace():
                continue
            put = self._put(count, line, trace)
            if put is not None and not refusals:
                put = await self._put_in_turn(count, line, trace)
            if put is not None:
                refusals.append(put)
            count += 1
            if count % _TURN == 0:
                await asyncio.sleep(0)
        if not count:
            # Whoever sends one had messages: something in between has dropped them.
            raise Refused(HTTPStatus.BAD_REQUEST, "there is no message in this batch")
        return count, refusals

    async def _put_in_turn(
        self, index: int, data: bytes, trace: Mapping[str, str]
    ) -> Refusal | None:
        """Put a message into the inbox; if that is full, once receivers have had their turn."""
        refusal = self._put(index, data, trace)
        if refusal is not None and refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
            await asyncio.sleep(0)
            refusal = self._put(index, data, trace)
        return refusal

    def _put(self, index: int, data: bytes, trace: Mapping[str, str]) -> Refusal | None:
        try:
            message = Message.unmarshal(data)
            size = len(message.payload)
            if size > self._max_message_size:
                return _too_large(index, MessageTooLarge(size, self._max_message_size, "payload"))
            self._inbox.put((message, trace))
        except MessageTooLarge as exc:
            return _too_large(index, exc)
        except ProtocolError as exc:
            return Refusal(index, HTTPStatus.BAD_REQUEST.value, str(exc))
        except (BufferFull, TransportClosed) as exc:
            return Refusal(index, HTTPStatus.SERVICE_UNAVAILABLE.value, str(exc))
        return None

    async def _until_acknowledged(self) -> None:
        if self._acknowledgements is not None:
            await self._acknowledgements.wait_for(self._inbox.total)

    async def _tell_fates(
        self, send: Send, count: int, refusals: list[Refusal], headers: list[Header]
    ) -> None:
        if not refusals:
            await self._answer(send, HTTPStatus.ACCEPTED, b"", headers)
            return
        headers.append((b"content-type", JSON.encode()))
        if any(refusal.status == HTTPStatus.SERVICE_UNAVAILABLE for refusal in refusals):
            headers.append(_RETRY_AFTER)
        body = _encode(BatchAnswer(count - len(refusals), refusals))
        await self._answer(send, HTTPStatus.OK, body, headers)

    async def _refuse(
        self, refused: Refused, receive: Receive, send: Send, cors: list[Header]
    ) -> None:
        body = f"{refused.reason}\n".encode()
        headers = [_TEXT, *refused.headers, *cors]
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(_RETRY_AFTER)
        lingers = _CLOSE in refused.headers
        await self._answer(send, refused.status, body, headers, more_body=lingers)
        if lingers:
            try:
                async with asyncio.timeout(_LINGER_SECONDS):
                    while (await receive()).get("more_body", False):
                        pass
            except TimeoutError:
                pass  # long enough
            await send({"type": "http.response.body", "body": b""})

    async def _answer(
        self,
        send: Send,
        status: HTTPStatus,
        body: bytes,
        headers: Iterable[Header],
        *,
        more_body: bool = False,
    ) -> None:
        own: list[Header] = [self._accept_post, *headers]
        if status != HTTPStatus.NO_CONTENT:
            own.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status.value, "headers": own})
        await send({"type": "http.response.body", "body": body, "more_body": more_body})


async def _serve_other(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a server's lifespan events, and refuse what is not HTTP."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1003})
        return
    if scope["type"] != "lifespan":
        raise ValueError(f"cannot serve ASGI scope {scope['type']!r}: expected 'http'")
    for _ in ("startup", "shutdown"):
        event = await receive()
        await send({"type": f"{event['type']}.complete"})


def _trace(scope: Scope, headers: Mapping[bytes, bytes]) -> Mapping[str, str]:
    if b"traceparent" not in headers:
        return _NO_TRACE
    trace = {"traceparent": headers[b"traceparent"].decode("latin-1")}
    # One list may come as several headers (W3C Trace Context, section 3.3.1).
    states = [value.decode("latin-1") for name, value in scope["headers"] if name == b"tracestate"]
    if states:
        trace["tracestate"] = ",".join(states)
    return trace


def _too_large(index: int, exc: MessageTooLarge) -> Refusal:
    return Refusal(index, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value, str(exc))


def _too_long(limit: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is over the limit of {limit} bytes", _CLOSE
    )
