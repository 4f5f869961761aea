"""The sending side of HTTP: posts messages one by one, or in batches to a peer that takes them."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from io import BytesIO
from typing import Final, NamedTuple

import aiohttp
import msgspec

from mist.protocol import MAX_MESSAGE_SIZE, Message, MessageTooLarge
from mist.protocol.limits import MAX_ENVELOPE_SIZE
from mist.transport.errors import Rejected, TransportClosed, TransportError
from mist.transport.headers import outgoing_headers
from mist.transport.http.address import Target
from mist.transport.http.batch import JSON, NDJSON, BatchAnswer
from mist.transport.http.coalescing import Coalescer, Fate
from mist.transport.http.faults import (
    explain,
    printable,
    retry_after,
    status_line,
    without_token,
)
from mist.transport.http.pool import TCPPool, UnixPool

# Shorter than what servers commonly grant an idle connection (uvicorn: 5 s), so that a request
# does not meet the server's closing.
_IDLE_SECONDS: Final = 4.0
# Room for the fates of a whole batch; of what is longer, the beginning is all that is wanted.
_MAX_ANSWER: Final = 1 << 20
_LONG_BODY: Final = 1 << 20
_SHOWN_BODY: Final = 200
_MAX_SEARCHED: Final = 4096
_NOT_UNDERSTOOD: Final = frozenset({400, 404, 405, 415})


class Answer(NamedTuple):
    """What a peer answered.

    Attributes:
        status: The HTTP status.
        headers: The answer's headers; names match without case.
        body: The beginning of the answer's body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class HTTPSender:
    """Posts messages to one URL, over pooled connections, from the tasks of one event loop."""

    def __init__(
        self,
        target: Target,
        *,
        token: str | None,
        timeout: float,
        ssl_context: ssl.SSLContext | None,
        batch: bool,
        max_batch_messages: int,
        max_batch_bytes: int,
    ) -> None:
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._token = token
        self._timeout = timeout
        self._batch = batch
        self.peer_batches = False
        self._closed = False
        self._singles = 0
        self._no_singles = asyncio.Event()
        self._coalescer = Coalescer(
            self._post_batch, max_messages=max_batch_messages, max_bytes=max_batch_bytes
        )
        # What most requests carry belongs to the session, which does not parse it each time.
        headers = {
            "User-Agent": "mist-transport",
            "Accept-Encoding": "identity",
            "Content-Type": JSON,
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connector = (
            UnixPool(path=target.socket_path, keepalive_timeout=_IDLE_SECONDS)
            if target.socket_path is not None
            else TCPPool(keepalive_timeout=_IDLE_SECONDS, ssl=ssl_context or True)
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            # Its own timeout forgets a cancellation that comes in the same moment.
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def send(self, message: Message) -> None:
        """Post one message, alone or in a batch, and wait for its fate.

        Raises:
            MessageTooLarge: It is over the limit; nothing was sent.
            TransportError: It was not taken, or nobody knows.
        """
        if self._closed:
            raise TransportClosed(f"the transport to {self._target.name} is closed")
        if self._loop is not asyncio.get_running_loop():
            raise TransportError(
                f"the connections to {self._target.name} belong to another event loop, or to the"
                " process that forked this one; dial in each",
                code="validation",
            )
        line = message.marshal()
        if len(line) > MAX_MESSAGE_SIZE:
            _refuse_too_large(message, line)
        headers = outgoing_headers.get()
        if self.peer_batches:
            return await self._coalescer.send(line, headers)
        self._singles += 1
        try:
            fault = await self._post_single(line, headers)
        finally:
            self._singles -= 1
            if not self._singles:
                self._no_singles.set()
        if fault is not None:
            raise fault
        return None

    async def close(self) -> None:
        """Refuse further sends, wait for those that have begun, and close the connections.

        Waiting ends after the timeout of a request; what is left then fails.
        """
        self._closed = True
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    while self._singles:
                        self._no_singles.clear()
                        await self._no_singles.wait()
            await self._coalescer.close(max(0.0, deadline - clock()))
        finally:
            await self._session.close()

    async def _post_single(self, line: bytes, headers: Mapping[str, str]) -> Fate:
        answer = await self._exchange(line, headers)
        if answer.status == HTTPStatus.OK and answer.body and not _is_json(answer.body):
            return self._rejected(answer, "is not a MIST listener: it answered 200 with a page")
        if 200 <= answer.status < 300:  # noqa: PLR2004  # success, RFC 9110 section 15.3
            return None
        return self._rejected(answer)

    async def _post_batch(self, lines: list[bytes], headers: Mapping[str, str]) -> Sequence[Fate]:
        if len(lines) == 1:
            return [await self._post_single(lines[0], headers)]
        answer = await self._exchange(
            b"\n".join(lines) + b"\n", {"Content-Type": NDJSON, **headers}
        )
        if answer.status == HTTPStatus.ACCEPTED:
            return [None] * len(lines)
        if answer.status == HTTPStatus.OK:
            return self._fates(answer, len(lines))
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or (
            answer.status in _NOT_UNDERSTOOD and not self.peer_batches
        ):
            # Nothing of it was taken: the peer at this address takes no batches any more, or
            # smaller ones than this. One after the other, so that they keep their order.
            return [await self._retry_alone(line, headers) for line in lines]
        return [self._rejected(answer) for _ in lines]

    async def _retry_alone(self, line: bytes, headers: Mapping[str, str]) -> Fate:
        try:
            return await self._post_single(line, headers)
        except TransportError as exc:
            return exc

    def _fates(self, answer: Answer, count: int) -> list[Fate]:
        """Read the answer to a batch that was not taken as a whole."""
        try:
            verdict = msgspec.json.decode(answer.body, type=BatchAnswer)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            why = "did not tell the fate of a batch"
            return [self._rejected(answer, why) for _ in range(count)]
        fates: list[Fate] = [None] * count
        for refusal in verdict.rejected:
            if 0 <= refusal.index < count:
                fates[refusal.index] = Rejected(
                    f"{self._target.name} rejected the message:"
                    f" {status_line(refusal.status)}: {printable(self._shown(refusal.error))}",
                    status=refusal.status,
                    body=self._shown(refusal.error),
                    retry_after=retry_after(answer.headers),
                )
        return fates

    async def _exchange(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Make one request.

        Raises:
            TransportError: There was no answer.
        """
        if self._session.closed:
            raise TransportClosed(f"the transport to {self._target.name} is closed")
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(
                    self._target.url,
                    # aiohttp wants a long body as a file, which it sends piece by piece.
                    data=body if len(body) <= _LONG_BODY else BytesIO(body),
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                answer = Answer(response.status, response.headers, await _beginning_of(response))
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            if self._session.closed:
                raise TransportClosed(
                    f"the transport to {self._target.name} was closed before it answered"
                ) from exc
            fault = explain(exc, self._target.name, self._timeout, self._token)
            if not isinstance(exc, aiohttp.ClientResponseError):
                raise fault from exc
        else:
            self._learn(answer)
            return answer
        # Out here it has no context: that would have the request in its repr, and so the token.
        raise fault

    def _learn(self, answer: Answer) -> None:
        if NDJSON in answer.headers.get("Accept-Post", ""):
            self.peer_batches = self._batch
        elif answer.status < 300 or answer.status in _NOT_UNDERSTOOD:  # noqa: PLR2004  # success
            self.peer_batches = False
        # Any other answer may come from something in between, and tells nothing of the peer.

    def _rejected(self, answer: Answer, why: str | None = None) -> Rejected:
        shown = self._shown(_text_of(answer))
        location = answer.headers.get("Location")
        if why is None:
            why = f"rejected the message: {status_line(answer.status)}"
            if location is not None:
                why += f", redirecting to {printable(self._shown(location))}; dial that URL instead"
        wait = retry_after(answer.headers)
        if wait is not None:
            why += f", to be tried again after {wait:.3g} s"
        return Rejected(
            f"{self._target.name} {why}" + (f": {printable(shown)}" if shown else ""),
            status=answer.status,
            body=shown,
            retry_after=wait,
        )

    def _shown(self, text: str) -> str:
        """Return the beginning of what a peer said."""
        return without_token(text, self._token)[:_SHOWN_BODY].strip()


def _refuse_too_large(message: Message, line: bytes) -> None:
    if len(message.payload) > MAX_MESSAGE_SIZE:
        raise MessageTooLarge(len(message.payload), MAX_MESSAGE_SIZE, "payload")
    if len(line) > MAX_ENVELOPE_SIZE:
        raise MessageTooLarge(len(line), MAX_ENVELOPE_SIZE)


async def _beginning_of(response: aiohttp.ClientResponse) -> bytes:
    content = response.content
    body = bytearray()
    while not content.at_eof():
        body += await content.readany()
        if len(body) > _MAX_ANSWER:
            response.close()
            break
    return bytes(body)


def _text_of(answer: Answer) -> str:
    coding = answer.headers.get("Content-Encoding", "identity")
    if coding.lower() != "identity":
        return f"(compressed with {coding}, which was not asked for)"
    return answer.body[:_MAX_SEARCHED].decode(errors="replace")


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
