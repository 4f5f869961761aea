"""Whatever bytes arrive, the server answers or closes, and complains of nothing but the bytes.

No answer is a 500, no exception is left to the event loop, and each answer's head is HTTP.
"""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mist.server import Server
from tools.fuzz.conversation import Conversations, statuses

TOKENS = (
    "\r\n", "\r\n\r\n", "Host: a\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
    "Expect: 100-continue\r\n", "Upgrade: websocket\r\n", "Connection: close\r\n", "HTTP/1.1", "%2F",
    "0\r\n\r\n", "5\r\nhello\r\n",
)  # fmt: skip

_FAILURE = 500


async def _echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(f"{request.path_params} {len(body)} {request.url.path!r}")


_server = Server("127.0.0.1:0", max_body_size=2000)


async def _start() -> int:
    for pattern in ("/", "GET /items/{id}", "/files/{path...}", "POST /a/{x}/b", "host/x"):
        _server.handle(pattern, _echo)
    await _server.__aenter__()  # for as long as the process lives
    return int(_server.addr.rpartition(":")[2])


_conversations = Conversations(_start, "mist.server")


def check(data: bytes) -> None:
    """Hold one input against the invariant."""
    answer = _conversations.hold(data)
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert _FAILURE not in statuses(answer), answer[:300]


def seeds() -> Iterator[bytes]:
    """Give good requests, alone and one behind the other, and the usual attacks on their framing."""
    host = b"Host: a\r\n"
    yield b"GET /items/1 HTTP/1.1\r\n" + host + b"\r\n"
    yield (
        b"POST / HTTP/1.1\r\n"
        + host
        + b"Content-Length: 5\r\n\r\nhelloGET /files/a%2Fb/ HTTP/1.0\r\n\r\n"
    )
    yield (
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    yield (
        b"POST / HTTP/1.1\r\n"
        + host
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    yield b"POST / HTTP/1.1\r\n" + host + b"Content-Length: " + b"0" * 5000 + b"1\r\n\r\nx"
    yield b"POST / HTTP/1.1\r\n" + host + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx"
    yield b"GET / HTTP/1.1\r\n" + host + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    yield b"CONNECT a:1 HTTP/1.1\r\n" + host + b"\r\nOPTIONS * HTTP/1.1\r\n" + host + b"\r\n"
    yield b"GET //x/../%ff HTTP/1.1\r\nHost: \xff:1\r\n\r\n"
