"""The generated Python client under input that is made to break it."""

import os
import signal
import socket
import sys
import threading
import time
import tracemalloc
from contextlib import suppress

import msgspec
import pytest

from mist.bindings import describe
from mist.protocol import Message, payload_type

DEEP = 100_000
HEAD = '{"version":"1","id":"a","source":"s","type":"acme.note","timestamp_ns":1,"payload":'


def nested(depth):
    """Return that many lists inside each other."""
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("[" * DEEP + "]" * DEEP, "JSON is nested too deeply"),
        ('{"a":' * DEEP + "1" + "}" * DEEP, "JSON is nested too deeply"),
        ("[" * 1_000_000, "JSON is nested too deeply"),
        ("9" * 1_000_000, "an integer of 1000000 digits is out of range"),
        ("1e999999999", "number out of range: 1e999999999"),
        ('"\0"', "Invalid control character"),
        ('"\udcff"', "surrogates not allowed"),
        ('"' + "a" * 100_000_000 + '"', "message of 100000086 bytes is over the limit"),
    ],
    ids=["arrays", "objects", "open", "digits", "exponent", "nul", "surrogate", "100 MB"],
)
def test_a_bomb_is_one_short_error(client, payload, reason):
    """Depth, size and malformed text are a ProtocolError, whatever is behind it."""
    with pytest.raises(client.ProtocolError, match=reason) as caught:
        client.Message.unmarshal(f"{HEAD}{payload}}}").decode()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("payload", ["9" * 5000, "[1e400]", '{"a":-1E+999}'])
def test_a_number_that_nobody_can_hold_is_passed_on(client, payload):
    """It is the receiver's to refuse: as through mist, its bytes and checksum stay the same."""
    sent = Message("1", "a", "s", "acme.x", 1, msgspec.Raw(payload.encode())).with_checksum()
    received = client.Message.unmarshal(sent.marshal())
    assert received.marshal() == Message.unmarshal(sent.marshal()).marshal()
    assert received.verify_checksum()
    with pytest.raises(client.ProtocolError, match=r"^payload of acme\.x: .* out of range"):
        received.decode()


@pytest.mark.parametrize("where", ["free", "member"])
def test_a_value_that_is_too_deep_is_not_sent(client, where):
    """It is an error of the payload, also inside a class of payloads."""
    deep = nested(DEEP)
    payload = client.InferRequest(model="a", messages=[], params={"x": deep})
    with pytest.raises(client.ProtocolError, match="nested too deeply"):
        client.Message.new("s", "infer.request", payload if where == "member" else deep)


class Branch(msgspec.Struct):
    """What holds its like.

    Attributes:
        inner: More of it.
    """

    inner: "Branch | None" = None


@pytest.mark.usefixtures("payload_types")
def test_a_payload_of_its_like_has_a_depth(load_client):
    """What a peer nests in a class that refers to itself ends in an error, not in the stack."""
    payload_type("acme.branch")(Branch)
    client = load_client(describe(["acme.branch"]))
    depth = sys.getrecursionlimit() * 6 // 10  # which JSON may have, and calls by twos may not
    payload = '{"inner":' * depth + "null" + "}" * depth
    head = HEAD.replace("acme.note", "acme.branch")
    with pytest.raises(client.ProtocolError, match=r"payload of acme\.branch: it is nested too de"):
        client.Message.unmarshal(f"{head}{payload}}}").decode()


def test_an_error_is_short_however_long_the_value(client):
    """What a peer sent is quoted in few characters, and what may be deep not at all."""
    payload = '{"model":1,"messages":[],"params":{}}'
    long = payload.replace('"model"', f'"{"k" * 1_000_000}":1,"model"')
    head = HEAD.replace("acme.note", "infer.request")
    with pytest.raises(client.ProtocolError) as caught:
        client.Message.unmarshal(f"{head}{long}}}").decode()
    assert len(str(caught.value)) < 200
    with pytest.raises(client.ProtocolError) as caught:
        client.Message.new("s", "acme.note", {"k" * 1_000_000: object()})
    assert len(str(caught.value)) < 200


def test_an_envelope_with_half_a_character(client):
    """What could not be passed on is refused by the name of its field."""
    wire = f"{HEAD}1}}".replace('"s"', '"\\ud800"')
    with pytest.raises(client.ProtocolError, match=r"^half a surrogate .* - at `\$\.source`$"):
        client.Message.unmarshal(wire)


def test_the_last_of_two_equal_keys_counts(client):
    """As for every other peer; the payload that is kept is the one that is read."""
    wire = f'{HEAD}1,"payload":[2],"id":"b"}}'
    message = client.Message.unmarshal(wire)
    assert (message.id, message.payload, message.decode()) == ("b", b"[2]", [2])


def feed(data):
    """Return a descriptor to read from, into which a thread writes the data."""
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as file:
            file.writelines(data)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return reading


def test_lines_are_not_read_far_ahead_of_who_receives_them(client):
    """Of long lines that nobody takes, no more is held than a megabyte and two lines."""
    line = f'{HEAD}"{"a" * (4 << 20)}"}}\n'.encode()
    with os.fdopen(feed(line for _ in range(64)), "rb") as file:
        tracemalloc.start()
        try:
            stdio = client.Stdio(file.fileno())
            received = [len(stdio.receive(timeout=30).payload) for _ in range(2)]
            assert received == [(4 << 20) + 2] * 2
            time.sleep(0.5)  # for real: what is read ahead is read by a thread
            assert tracemalloc.get_traced_memory()[0] < 8 * len(line)
        finally:
            tracemalloc.stop()
        assert sum(1 for _ in stdio) == 62


def test_a_line_without_end_is_one_error(client):
    """It is not held in memory, and the line behind it is received."""
    pieces = [b"a" * (1 << 20)] * 64 + [f"\n{HEAD}1}}\n".encode()]
    with os.fdopen(feed(pieces), "rb") as file:
        stdio = client.Stdio(file.fileno())
        with pytest.raises(client.MessageTooLarge, match="line 1: message"):
            stdio.receive(timeout=30)
        assert stdio.receive(timeout=30).decode() == 1
        with pytest.raises(client.EndOfStream):
            stdio.receive(timeout=30)


@pytest.fixture
def answering():
    """Serve a fixed answer to every request, and return the URL."""
    servers = []

    def answer(raw):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer, suppress(OSError):
                    peer.recv(1 << 16)
                    peer.sendall(raw)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(1 << 16):
                        pass  # closed over what was not read, the connection would be reset

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield answer
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 503 Busy\r\nRetry-After: \xb2\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nRetry-After: Mon, 01 Jan 0001 00:00:00 -0000\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"9" * 400 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"[" * 2_000_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * DEEP,
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * DEEP,
        b"HTTP/1.1 100 Continue\r\n\r\n" * DEEP,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000,
        b"\0" * 2_000_000,
    ],
    ids=[
        "digit of Latin-1",
        "the year 1",
        "400 digits",
        "long body",
        "deep body",
        "headers",
        "continues",
        "long header",
        "nul",
    ],
)
def test_an_answer_that_is_a_bomb_is_an_error(client, answering, raw):
    """Whatever a peer answers, the send fails by an error of its kind, and so does the next."""
    message = client.Message.new("s", "acme.note", 1)
    with client.HTTP(answering(raw), timeout=5.0) as peer:
        for _ in range(2):
            with pytest.raises(client.TransportError) as caught:
                peer.send(message)
            assert len(str(caught.value)) < 500


@pytest.mark.parametrize("index", [-1, 2, 0.5, "0", None])
def test_a_fate_of_no_message_is_no_fate(client, answering, index):
    """A peer that speaks of messages that it was not sent has not said what became of them."""
    body = msgspec.json.encode({"rejected": [{"index": index, "status": 400, "error": "no"}]})
    raw = (
        b"HTTP/1.1 200 OK\r\nAccept-Post: application/x-ndjson\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    message = client.Message.new("s", "acme.note", 1)
    with client.HTTP(answering(raw), timeout=5.0) as peer:
        peer.send(message)  # alone, and so without fates; from now on in batches
        fates = peer.send_all([message, message])
    assert all("did not tell the fate of a batch" in str(fate) for fate in fates)


def message_of(client, payload=1):
    """Make a message."""
    return client.Message.new("s", "acme.note", payload)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"token": "s3c\nret"}, "token must be visible ASCII"),
        ({"token": "s3c\u20acret"}, "token must be visible ASCII"),
        ({"token": ""}, "token must be visible ASCII"),
        ({"headers": {"X": "a\r\ns3c: ret"}}, "the header 'X' has a name or value that cannot"),
        ({"headers": {"X:": "s3cret"}}, "the header 'X:' has a name or value that cannot"),
        ({"headers": {"X": "s3c\u20acret"}}, "the header 'X' has a name or value that cannot"),
        ({"timeout": 0}, "timeout must be positive, got 0"),
        ({"attempts": 0}, "attempts must be positive, got 0"),
    ],
)
def test_an_option_that_cannot_work_is_refused_at_once(client, options, said):
    """The error says which, and does not repeat what may be a secret."""
    with pytest.raises(client.TransportError, match=said) as caught:
        client.HTTP("http://127.0.0.1:1", **options)
    assert caught.value.code == "validation"
    assert "s3c" not in str(caught.value)


class Interrupted:
    """Raises KeyboardInterrupt in the main thread after a while, at each call."""

    def __enter__(self):
        self._before = signal.signal(signal.SIGINT, signal.default_int_handler)
        return lambda: threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self._before)


def test_ctrl_c_during_a_send_leaves_the_transport_usable(client):
    """The answer that was not waited for is not taken for the next one's."""
    silence = threading.Event()

    def serve():
        for _ in range(2):
            with server.accept()[0] as connection:
                for data in iter(lambda peer=connection: peer.recv(1 << 16), b""):
                    if data.endswith(b"}") and not silence.is_set():
                        connection.sendall(b"HTTP/1.1 202 A\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server, Interrupted() as interrupt:
        server.settimeout(10)
        serving = threading.Thread(target=serve)
        serving.start()
        with client.HTTP(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=10.0) as peer:
            peer.send(message_of(client))
            silence.set()
            interrupt()
            with pytest.raises(KeyboardInterrupt):
                peer.send(message_of(client))
            silence.clear()
            peer.send(message_of(client))
        serving.join()


def test_ctrl_c_during_a_send_tells_those_whose_messages_went_along(client):
    """They are other threads', which wait for the fate of theirs."""
    with socket.create_server(("127.0.0.1", 0)) as server, Interrupted() as interrupt:
        peer = client.HTTP(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=10.0)
        peer._peer_batches = True
        other = client._Waiting(message_of(client).marshal())
        peer._waiting.append(other)
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            peer.send(message_of(client))
        assert other.settled
        assert "interrupted before http://127.0.0.1" in str(other.fault)
        peer.close()


def test_ctrl_c_before_a_send_has_its_turn_takes_the_message_back(client):
    """It is not sent later, by another thread."""
    with client.HTTP("http://127.0.0.1:1", timeout=10.0) as peer, Interrupted() as interrupt:
        with peer._in_flight:  # as by a request that is under way
            interrupt()
            with pytest.raises(KeyboardInterrupt):
                peer.send(message_of(client))
        assert not peer._waiting


def test_the_end_of_standard_input_ends_all_who_wait(client):
    """Each of several threads is told, and so is who asks again."""
    reading, writing = os.pipe()
    ends = []

    def receive():
        try:
            stdio.receive()
        except client.TransportError as end:
            ends.append(type(end))

    with os.fdopen(reading, "rb"):
        stdio = client.Stdio(reading)
        threads = [threading.Thread(target=receive) for _ in range(3)]
        for thread in threads:
            thread.start()
        os.close(writing)
        for thread in threads:
            thread.join(timeout=10)
    receive()
    assert ends == [client.EndOfStream] * 4


def test_closing_ends_a_loop_over_standard_input(client):
    """What was read is received first; then the loop ends, though the other side is open."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0) as file:
        stdio = client.Stdio(reading)
        file.write(client.marshal_lines([message_of(client, n) for n in range(3)]))
        messages = iter(stdio)
        assert next(messages).decode() == 0
        stdio.close()
        assert [message.decode() for message in messages] == [1, 2]
