"""Whatever bytes arrive, the listener for messages answers or closes, and nothing in it fails.

No answer is a 500; what it takes is what it gives, and each of these is a message.
"""

import asyncio
import re
from collections.abc import Iterator

from mist.protocol import Message
from mist.transport import HTTP
from tools.fuzz.conversation import Conversations, statuses

TOKENS = (
    "POST /mist HTTP/1.1\r\n", "Host: a\r\n", "Content-Length: ", "Content-Type: application/x-ndjson",
    "Transfer-Encoding: chunked\r\n", "traceparent: ", "Origin: http://a\r\n", "\r\n\r\n",
    '{"version":"1","id":"a","source":"s","type":"t"}',
)  # fmt: skip

_ACCEPTED, _FAILURE = 202, 500
_BATCH = re.compile(rb"application/(?:x-)?(?:ndjson|jsonl)", re.IGNORECASE)
_transport = HTTP("http://127.0.0.1:1", inbox=64)


_taken: list[Message] = []
_takers: list[asyncio.Task[None]] = []


async def _start() -> int:
    await _transport.listen("127.0.0.1:0")
    _takers.append(asyncio.create_task(_take()))
    return int(_transport.addr.rpartition(":")[2])


async def _take() -> None:
    async for message in _transport:
        _taken.append(message)  # noqa: PERF401  # each as it comes


_conversations = Conversations(_start, "mist.transport.http")


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    answer = _conversations.hold(data)
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert _FAILURE not in statuses(answer), answer[:300]
    if not _BATCH.search(data):  # which may have no message in it
        assert len(_taken) >= statuses(answer).count(_ACCEPTED)
    while _taken:
        _taken.pop().validate()


def seeds() -> Iterator[bytes]:
    """Give one message, a batch of two, and what is neither."""
    one = Message("1", "a", "s", "t").with_checksum().marshal()
    two = one + b"\n" + one + b"\n"
    yield _post(b"application/json", one) + _post(b"application/json", one)
    yield _post(b"application/x-ndjson", two)
    yield _post(b"application/x-ndjson", one + b"\nnot\n")
    yield _post(b"application/json; charset=\xff", b"{}")
    yield _post(b"text/plain\r\nOrigin: http://b\r\ntraceparent: 00-1", one)
    yield b"OPTIONS /mist HTTP/1.1\r\nHost: a\r\n\r\nGET /mist HTTP/1.1\r\nHost: a\r\n\r\n"


def _post(kind: bytes, body: bytes) -> bytes:
    return b"POST /mist HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        kind,
        len(body),
        body,
    )
