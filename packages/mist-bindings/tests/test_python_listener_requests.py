"""How the Python client's HTTP listener reads requests: strictly, and none for another."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

BODY = b'{"version":"1","id":"a","source":"s","type":"t","payload":1}'
HEAD = b"POST /mist HTTP/1.1\r\nHost: x\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)
WHOLE = HEAD + LENGTH + b"\r\n" + BODY
PIECES = [
    *(b"POST /mist HTTP/1.1\r\n", b"GET / HTTP/1.0\r\n", b"OPTIONS * HTTP/1.1\r\n"),
    *(b"Host: x\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Origin: null\r\n"),
    *(LENGTH, CHUNKED, CHUNK, BODY, WHOLE, b"Content-Length: ", b"5", b"99999999"),
    *(
        b"Content-Type: application/x-ndjson\r\n",
        b"0\r\n\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b":",
        b";",
    ),
]


# Each is followed by a whole request. Where the first is refused for its form, nobody can know
# where it ends: what follows must not be taken.
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(HEAD + LENGTH + CHUNKED + b"\r\n" + CHUNK + b"0\r\n\r\n", 400, id="cl-te"),
        pytest.param(HEAD + CHUNKED + LENGTH + b"\r\n" + CHUNK + b"0\r\n\r\n", 400, id="te-cl"),
        pytest.param(HEAD + LENGTH + LENGTH + b"\r\n" + BODY, 400, id="cl-cl"),
        pytest.param(HEAD + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY, 400, id="cl-other-cl"),
        pytest.param(HEAD + b"Content-Length: 1, 1\r\n\r\n" + BODY, 400, id="cl-list"),
        pytest.param(HEAD + b"Content-Length: +60\r\n\r\n" + BODY, 400, id="cl-plus"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n" + BODY, 400, id="cl-negative"),
        pytest.param(HEAD + b"Content-Length: 6_0\r\n\r\n" + BODY, 400, id="cl-underscore"),
        pytest.param(HEAD + b"Content-Length: \xb2\r\n\r\n" + BODY, 400, id="cl-digit-of-latin-1"),
        pytest.param(HEAD + b"Content-Length:\r\n\r\n" + BODY, 400, id="cl-empty"),
        pytest.param(HEAD + b"Content-Length: %b\r\n\r\n" % (b"9" * 40), 400, id="cl-overflow"),
        pytest.param(HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNK, 501, id="te-x"),
        pytest.param(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNK, 501, id="te-gzip"),
        pytest.param(HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNK, 400, id="te-space"),
        pytest.param(HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNK, 400, id="te-vt"),
        pytest.param(HEAD + CHUNKED + CHUNKED + b"\r\n" + CHUNK, 501, id="te-te"),
        pytest.param(HEAD.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n" + CHUNK, 400, id="te-1.0"),
        pytest.param(HEAD + CHUNKED + b"\r\n0x" + CHUNK, 400, id="chunk-size-prefix"),
        pytest.param(HEAD + CHUNKED + b"\r\n-1\r\n" + CHUNK, 400, id="chunk-size-negative"),
        pytest.param(HEAD + CHUNKED + b"\r\n 1\r\n" + CHUNK, 400, id="chunk-size-space"),
        pytest.param(HEAD + CHUNKED + b"\r\n\r\n" + CHUNK, 400, id="chunk-size-empty"),
        pytest.param(HEAD + CHUNKED + b"\r\n" + b"f" * 17 + b"\r\n", 400, id="chunk-size-overflow"),
        pytest.param(HEAD + CHUNKED + b"\r\nffffffff\r\n" + BODY, 413, id="chunk-size-large"),
        pytest.param(HEAD + CHUNKED + b"\r\n3\r\n" + BODY, 400, id="chunk-longer-than-its-size"),
        pytest.param(HEAD + CHUNKED + b"\r\n" + CHUNK.replace(b"\r", b""), 400, id="chunk-bare-lf"),
        pytest.param(HEAD + CHUNKED + b"\r\n1;" + b"y" * 70_000, 431, id="chunk-extension-long"),
        pytest.param(HEAD + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY, 400, id="folded"),
        pytest.param(HEAD + b"X: a\x00b\r\n" + LENGTH + b"\r\n" + BODY, 400, id="nul"),
        pytest.param(HEAD + b"X: a\rb\r\n" + LENGTH + b"\r\n" + BODY, 400, id="bare-cr"),
        pytest.param(HEAD + b"X\r\n" + LENGTH + b"\r\n" + BODY, 400, id="no-colon"),
        pytest.param(WHOLE.replace(b"\r\n", b"\n"), 400, id="bare-lf"),
        pytest.param(WHOLE.replace(b"x\r\n", b"x\n", 1), 400, id="one-bare-lf"),
        pytest.param(WHOLE.replace(b"Host: x\r\n", b""), 400, id="no-host"),
        pytest.param(WHOLE.replace(b"Host: x\r\n", b"Host: x\r\nHost: x\r\n"), 400, id="two-hosts"),
        pytest.param(WHOLE.replace(b"Host: x", b"Host: a/b"), 400, id="bad-host"),
        pytest.param(WHOLE.replace(b" /mist ", b" http://a@b/mist "), 400, id="bad-authority"),
        pytest.param(WHOLE.replace(b"/mist ", b"/mist  "), 400, id="two-spaces"),
        pytest.param(WHOLE.replace(b"/mist ", b"/m\xc3\xafst "), 400, id="path-not-ascii"),
        pytest.param(b"\r\n\r\n" + WHOLE, 400, id="two-line-ends-before"),
        pytest.param(b"POST /mist\r\n\r\n", 400, id="http-0.9"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, id="http-2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, id="tls"),
        pytest.param(HEAD + b"X: " + b"y" * 70_000 + b"\r\n", 431, id="long-header"),
        pytest.param(HEAD + b"X: y\r\n" * 20_000, 431, id="many-headers"),
        pytest.param(WHOLE.replace(b"/mist", b"/mist?" + b"y" * 70_000), 431, id="long-url"),
        pytest.param(HEAD + CHUNKED + b"\r\n0\r\n" + b"X: y\r\n" * 20_000, 431, id="many-trailers"),
    ],
)
def test_a_request_whose_end_is_in_doubt_ends_its_connection(
    client, listen, request_, status, exchange
):
    """It is refused with a status, and nothing behind it on the connection is taken."""
    listener = listen()
    assert exchange(listener, request_ + WHOLE) == [status]
    with pytest.raises(client.TransportTimeout):
        listener.receive(timeout=0)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(WHOLE, id="plain"),
        pytest.param(b"\r\n" + WHOLE, id="line-end-before"),
        pytest.param(HEAD + CHUNKED + b"\r\n" + CHUNK + b"0\r\n\r\n", id="chunked"),
        pytest.param(
            HEAD + b"Transfer-Encoding:\tChunked\r\n\r\n" + CHUNK + b"00\r\n\r\n", id="case"
        ),
        pytest.param(
            HEAD
            + CHUNKED
            + b"\r\n1 ;a=b\r\n{\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY) - 1, BODY[1:]),
            id="chunk-extension",
        ),
        pytest.param(HEAD + CHUNKED + b"\r\n" + CHUNK + b"0\r\nX: y\r\n\r\n", id="trailer"),
        pytest.param(WHOLE.replace(b"/mist", b"HTTP://y:80/mist"), id="absolute-form"),
        pytest.param(WHOLE.replace(b"/mist", b"/%6dist?a=/b"), id="quoted-and-query"),
        pytest.param(WHOLE.replace(b"Host", b"Upgrade: h2c\r\nHost"), id="upgrade"),
        pytest.param(WHOLE.replace(b"Host: x", b"Host:"), id="empty-host"),
    ],
)
def test_what_http_allows_is_taken(listen, request_, exchange):
    """It is, and so is the request behind it on the same connection."""
    listener = listen()
    assert exchange(listener, request_ + WHOLE) == [202, 202]
    assert [listener.receive(timeout=5).payload for _ in range(2)] == [b"1", b"1"]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"), id="http-1.0"),
        pytest.param(WHOLE.replace(b"Host: x", b"Host: x\r\nConnection: x, Close"), id="close"),
    ],
)
def test_a_peer_that_wants_the_connection_closed(listen, request_, exchange):
    """It has its answer, and nothing is read behind it."""
    assert exchange(listen(), request_ + WHOLE) == [202]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=16).map(b"".join))
def test_whatever_the_bytes_the_listener_goes_on(client, exchange, data):
    """Each request has an answer of HTTP, no thread fails, and the next peer is served."""
    with client.HTTPListener() as listener:
        statuses = exchange(listener, data)
        assert set(statuses) <= {202, 204, 400, 404, 405, 413, 431, 501, 505}
        assert exchange(listener, WHOLE) == [202]


def test_a_trailer_does_not_pass_for_a_header(listen, exchange):
    """Credentials do not come in by the back door."""
    trailer = b"0\r\nAuthorization: Bearer secret\r\n\r\n"
    assert exchange(listen(token="secret"), HEAD + CHUNKED + b"\r\n" + CHUNK + trailer) == [401]


def test_pipelined_requests_are_answered_in_order(listen, exchange):
    """A peer that does not wait for answers gets each of them."""
    requests = (WHOLE, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", HEAD + b"Content-Length: 2\r\n\r\n{}")
    assert exchange(listen(), b"".join(requests) * 100) == [202, 404, 400] * 100


def test_a_peer_that_waits_to_continue(listen, connect, read_all):
    """It is told to, unless its head says already that the body is not wanted."""
    listener = listen()
    expecting = HEAD + b"Expect: 100-Continue\r\n"
    with connect(listener) as peer:
        peer.sendall(expecting + LENGTH + b"\r\n")
        assert peer.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(BODY)
        assert peer.recv(1 << 16).startswith(b"HTTP/1.1 202 ")
    with connect(listener) as peer:
        peer.sendall(expecting + b"Content-Length: 99999999\r\n\r\n")
        assert read_all(peer).startswith(b"HTTP/1.1 413 ")
