"""What the Python client posts: alone or in batches, on which connection, and by which transport."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Recorder(BaseHTTPRequestHandler):
    """Notes each request: its media type, its body, and the connection that it came on."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Answer with what the server was told for a request like this."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"].removeprefix("application/")
        self.server.requests.append((kind, body, self.client_address))
        self.send_response(self.server.statuses.get(kind, 202))
        self.send_header(
            "Accept-Post", ", ".join(f"application/{each}" for each in self.server.takes)
        )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture
def server():
    """A server that takes whatever is posted, and has noted it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.daemon_threads = True
        server.requests, server.statuses, server.takes = [], {}, ["json", "x-ndjson"]
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def sender(client, server):
    """A sender whose peer has said that it takes batches."""
    with client.HTTP(server.url) as http:
        http.send(client.Message.new("s", "t", "the first"))
        server.requests.clear()
        yield http


def message(client, payload):
    """Return a message whose payload stays as it is written here."""
    return client.Message("1", "a", "s", "t", 1, payload)


def test_a_payload_with_line_breaks_goes_alone(client, server, sender):
    """Between batches of those before and after it, for the order is kept."""
    payloads = [b"1", b"2", b"[\n3\n]", b"4", b"5"]
    assert sender.send_all([message(client, each) for each in payloads]) == [None] * 5
    assert [(kind, body.count(b"\n")) for kind, body, _ in server.requests] == [
        ("x-ndjson", 2),
        ("json", 2),
        ("x-ndjson", 2),
    ]
    assert b'"payload":[\n3\n]' in server.requests[1][1]


def test_a_batch_is_bounded_in_bytes_and_in_messages(client, server, sender):
    """At most a megabyte and 1,024 messages; one alone may be longer."""
    long = message(client, b'"%s"' % (b"x" * 400_000))
    longest = message(client, b'"%s"' % (b"x" * 2_000_000))
    short = message(client, b"1")
    sender.send_all([long, long, long, longest, *[short] * 1500])
    counts = [body.count(b"\n") for kind, body, _ in server.requests if kind == "x-ndjson"]
    sizes = [len(body) for kind, body, _ in server.requests if kind == "x-ndjson"]
    assert max(sizes) <= 1 << 20
    assert max(counts) == 1024
    singles = [len(body) for kind, body, _ in server.requests if kind == "json"]
    assert sum(counts) + len(singles) == 1504
    assert max(singles) > 2_000_000


@pytest.mark.parametrize("status", [413, 415])
def test_a_batch_that_is_not_taken_goes_one_by_one(client, server, sender, status):
    """The peer may have become another, or take smaller ones; the order is kept."""
    server.statuses["x-ndjson"] = status
    if status == 415:
        server.takes = ["json"]
    assert sender.send_all([message(client, b"%d" % n) for n in range(3)]) == [None] * 3
    assert [kind for kind, _, _ in server.requests] == ["x-ndjson", "json", "json", "json"]
    assert [body.partition(b'"payload":')[2] for _, body, _ in server.requests[1:]] == [
        b"0}",
        b"1}",
        b"2}",
    ]


def test_a_connection_is_kept_and_one_that_was_long_idle_is_not_trusted(client, server, sender):
    """The server may be about to close it, and a message on it would have an unknown fate."""
    for _ in range(2):
        sender.send(message(client, b"1"))
    sender._connection.IDLE_SECONDS = -1.0
    sender.send(message(client, b"1"))
    first, second, third = (connection for _, _, connection in server.requests)
    assert first == second != third


def test_dial_makes_what_the_url_names(client, server):
    """HTTP with its options, or standard input and output; anything else is refused."""
    with client.dial(server.url + "/mist", token="secret") as http:
        http.send(message(client, b"1"))
    assert len(server.requests) == 1
    assert isinstance(client.dial("HTTPS://host"), client.HTTP)
    assert isinstance(client.dial("stdio:", timeout=1.0), client.Stdio)
    with pytest.raises(client.TransportError, match="expected http:, https: or stdio:") as caught:
        client.dial("file:x")
    assert caught.value.code == "validation"


@pytest.mark.parametrize("any_version", [True, False])
def test_stdio_receives_other_versions_where_that_is_said(client, any_version):
    """Who looks into messages is told of one that it cannot read."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb") as out:
        out.write(client.Message("9", "a", "s", "t").marshal() + b"\n")
        out.flush()
        stdio = client.Stdio(reading, any_version=any_version)
        if any_version:
            assert stdio.receive(timeout=30).version == "9"
        else:
            with pytest.raises(client.UnsupportedVersion):
                stdio.receive(timeout=30)
        stdio.close()


def test_stdio_tells_of_a_reader_that_is_gone_and_of_what_cannot_be_written(client):
    """The former is the end of the transport; the latter names the reason."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb"):
        stdio = client.Stdio(stdout=writing)
        with pytest.raises(client.TransportClosed, match="the reader of standard output is gone"):
            stdio.send(message(client, b"1"))
    with Path(os.devnull).open("rb") as unwritable:
        stdio = client.Stdio(stdout=unwritable.fileno())
        with pytest.raises(client.TransportError, match="cannot write to standard output: "):
            stdio.send(message(client, b"1"))
        with pytest.raises(client.TransportClosed):
            stdio.send(message(client, b"1"))
