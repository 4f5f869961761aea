"""The Python client's HTTP listener: what it takes, what it refuses, and how it ends."""

import http.client
import json
import os
import signal
import socket
import threading
import time
import urllib.parse
from contextlib import closing

import pytest

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def post(url, body=b"", headers=JSON, method="POST"):
    """Make one request, and return the status, the headers and the body of its answer."""
    parts = urllib.parse.urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)) as connection:
        connection.request(method, parts.path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def marshal(client, payload=1, **changes):
    """Return a message on the wire."""
    return client.Message("1", "a", "s", "t", 1, json.dumps(payload).encode(), **changes).marshal()


def test_what_is_sent_is_received(client, listen):
    """A message arrives as it was sent, alone and in a batch, with the trace that it came with."""
    listener = listen()
    trace = {"traceparent": "00-a-b-01", "tracestate": "x=1,y=2"}
    sent = client.Message.new("s", "t", {"n": (1 << 63) - 1, "text": "<é\U0001f389\u2028>"})
    sent = sent.with_checksum()
    with client.HTTP(listener.url, headers=trace) as peer:
        peer.send(sent)
        assert peer.send_all([sent] * 40) == [None] * 40
    assert [listener.receive(timeout=5) for _ in range(41)] == [sent] * 41
    assert client.incoming_headers.get() == trace
    assert post(listener.url, marshal(client))[0] == 202
    listener.receive(timeout=5)
    assert client.incoming_headers.get() == {}


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        ({"body": b"{}"}, 400, "missing version"),
        ({"body": b'{"version":1}'}, 400, "expected a string, got an integer - at `$.version`"),
        ({"body": b""}, 400, "not a message"),
        ({"headers": {}}, 401, "no token, or the wrong one"),
        ({"headers": {"Authorization": "Bearer secre"}}, 401, "no token, or the wrong one"),
        ({"headers": {"Authorization": "Basic secret"}}, 401, "no token, or the wrong one"),
        ({"headers": {"Authorization": "Bearer s\xe9cret"}}, 401, "no token, or the wrong one"),
        ({"path": "/"}, 404, "messages are taken at /mist"),
        ({"path": "/mist/"}, 404, "messages are taken at /mist"),
        ({"method": "GET"}, 405, "post a message"),
        ({"method": "HEAD"}, 405, ""),
        ({"body": {"payload": "x" * 999}}, 413, "payload of 1001 bytes is over the limit of 1000"),
        ({"body": b"x" * 200_000}, 413, "the body is over the limit of 66536 bytes"),
        ({"content_encoding": "gzip"}, 415, "without Content-Encoding"),
        ({"expect": "the-unexpected"}, 417, "expect nothing but 100-continue"),
        ({"body": {"version": "9"}}, 400, "version '9' is too new: this client reads 1-1"),
    ],
)
def test_a_request_that_is_refused_is_told_why(client, listen, request_, status, said):
    """Each has its status and a text, says what is taken, and leaves the listener as it was."""
    listener = listen(token="secret", max_message_size=1000)
    right = {"Authorization": "bearer  secret"}
    headers = request_.get("headers", right)
    for name in ("content_encoding", "expect"):
        if name in request_:
            headers = {**headers, name.replace("_", "-"): request_[name]}
    body = request_.get("body", marshal(client))
    if isinstance(body, dict):
        version, payload = body.get("version", "1"), json.dumps(body.get("payload", 1)).encode()
        body = client.Message(version, "a", "s", "t", 1, payload).marshal()
    url = listener.url.replace("/mist", request_.get("path", "/mist"))
    answer = post(url, body, headers, request_.get("method", "POST"))
    assert (answer[0], said in answer[2]) == (status, True), answer[2]
    assert "secret" not in answer[2]
    assert answer[1]["Accept-Post"] == "application/json, application/x-ndjson"
    assert answer[1]["Date"]
    assert answer[1].get("Allow") == ("POST, OPTIONS" if status == 405 else None)
    assert post(listener.url, marshal(client), right)[0] == 202
    assert listener.receive(timeout=5).payload == b"1"


def test_any_version_is_taken_where_that_is_said(client, listen):
    """A relay, which does not look into messages, passes on those of other versions."""
    listener = listen(any_version=True)
    old = client.Message("9", "a", "s", "t").marshal()
    assert post(listener.url, old)[0] == 202
    assert listener.receive(timeout=5).version == "9"


def test_a_full_inbox_asks_to_come_back_and_loses_nothing(client, listen):
    """Beyond the bound in messages it is 503; what was taken is received, even once closed."""
    listener = listen(inbox=1)
    assert post(listener.url, marshal(client, 1))[0] == 202
    status, headers, said = post(listener.url, marshal(client, 2))
    assert (status, headers["Retry-After"]) == (503, "1")
    assert said == "the inbox is full: 1 messages wait to be received\n"
    listener.close()
    assert listener.receive().payload == b"1"
    for _ in range(2):
        with pytest.raises(client.TransportClosed, match="the listener is closed"):
            listener.receive()
    assert list(listener) == []


def test_waiting_messages_are_bounded_in_bytes(client, listen):
    """One alone may be of any size; another does not go beside it."""
    listener = listen(inbox_bytes=1000)
    assert post(listener.url, marshal(client, "x" * 2000))[0] == 202
    status, _, said = post(listener.url, marshal(client))
    assert status == 503
    assert "bytes wait to be received" in said
    listener.receive(timeout=5)
    assert post(listener.url, marshal(client))[0] == 202


def test_as_many_bytes_wait_as_were_said(client, listen):
    """Messages that fill the bound exactly are taken, and not one byte more."""
    text = marshal(client, "x" * 100)
    exact = listen(inbox_bytes=2 * len(text))
    less = listen(inbox_bytes=2 * len(text) - 1)
    assert [post(exact.url, text)[0] for _ in range(3)] == [202, 202, 503]
    assert [post(less.url, text)[0] for _ in range(2)] == [202, 503]


def test_who_waits_is_woken_by_what_arrives(client, listen, monkeypatch):
    """And not by the look that is taken now and then for Ctrl-C."""
    monkeypatch.setattr(client, "_LOOK_SECONDS", 60.0)
    listener = listen()
    begin = time.monotonic()
    threading.Timer(0.2, post, (listener.url, marshal(client))).start()
    assert listener.receive(timeout=30).payload == b"1"
    threading.Timer(0.2, listener.close).start()
    with pytest.raises(client.TransportClosed):
        listener.receive(timeout=30)
    assert time.monotonic() - begin < 20


def test_of_a_batch_what_can_be_taken_is(client, listen):
    """The answer tells the fate of the others; blank lines are none, and CRLF ends a line too."""
    listener = listen(inbox=2)
    lines = [marshal(client, 0), b"", b"nonsense", marshal(client, 2), b" ", marshal(client, 3)]
    status, headers, body = post(listener.url, b"\r\n".join(lines), NDJSON)
    assert (status, headers["Retry-After"], headers["Content-Type"]) == (
        200,
        "1",
        JSON["Content-Type"],
    )
    answer = json.loads(body)
    assert answer["accepted"] == 2
    assert [(each["index"], each["status"]) for each in answer["rejected"]] == [(1, 400), (3, 503)]
    assert [listener.receive(timeout=5).payload for _ in range(2)] == [b"0", b"2"]
    assert post(listener.url, marshal(client) + b"\n", NDJSON)[0] == 202


def test_batches_that_are_none(client, listen):
    """One without messages and one of too many lines are refused as a whole."""
    listener = listen()
    assert post(listener.url, b"\n \r\n", NDJSON)[0] == 400
    status, _, said = post(listener.url, b"x\n" * 5_000_000, NDJSON)
    assert (status, said) == (413, "a batch has at most 16384 lines\n")
    single = listen(batch=False)
    status, headers, _ = post(single.url, marshal(client), NDJSON)
    assert (status, headers["Accept-Post"]) == (415, "application/json")
    with client.HTTP(single.url) as peer:
        assert peer.send_all([client.Message.new("s", "t", n) for n in range(3)]) == [None] * 3


def test_pages_of_other_origins_may_post_only_where_that_was_allowed(client, listen):
    """A page that may is told so by the preflight, and sees what it needs of each answer."""
    page = {"Origin": "http://page.example"}
    closed = listen()
    assert post(closed.url, marshal(client), page)[0] == 403
    assert post(closed.url, b"", page, "OPTIONS")[0] == 403
    assert post(closed.url, b"", {}, "OPTIONS")[1]["Allow"] == "POST, OPTIONS"
    for allowed in (["http://page.example"], ["*"]):
        open_ = listen(allow_origins=allowed)
        status, headers, _ = post(open_.url, b"", page, "OPTIONS")
        assert (status, headers["Access-Control-Allow-Origin"]) == (204, page["Origin"])
        assert "content-type" in headers["Access-Control-Allow-Headers"]
        for body, expected in ((b"{}", 400), (marshal(client), 202)):
            status, headers, _ = post(open_.url, body, page)
            assert (status, headers["Access-Control-Allow-Origin"]) == (expected, page["Origin"])
            assert headers["Access-Control-Expose-Headers"] == "Accept-Post, Retry-After"
            assert headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 202), ("127.0.0.1", 202), ("[::1]", 202), ("evil.example", 403), ("", 403)],
)
def test_a_page_of_the_listeners_own_origin_may_post(client, listen, host, status):
    """But not where a name leads here: whoever holds it can have it lead anywhere."""
    headers = {"Host": f"{host}:1", "Origin": f"http://{host}:1"}
    assert post(listen().url, marshal(client), headers)[0] == status


def test_a_path_of_ones_own(client, listen):
    """Messages are taken there and nowhere else, also where it has to be quoted."""
    listener = listen(path="/für alle/mist")
    assert listener.url.endswith("/f%C3%BCr%20alle/mist")
    with client.HTTP(listener.url) as peer:
        peer.send(client.Message.new("s", "t", 1))
    assert post(listener.url.partition("/f%")[0] + "/mist", marshal(client))[0] == 404


@pytest.mark.parametrize("address", [":0", "0.0.0.0:0", "localhost:0", "[::1]:0"])
def test_the_url_reaches_it_from_this_machine(client, listen, address):
    """Whatever the interface, `url` is what to dial from here."""
    if "::1" in address and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    listener = listen(address)
    with client.HTTP(listener.url) as peer:
        peer.send(client.Message.new("s", "t", 1))
    assert listener.receive(timeout=5).decode() == 1


def test_an_address_that_is_in_use_is_a_conflict(client, listen):
    """The error names it."""
    address = urllib.parse.urlsplit(listen().url).netloc
    with pytest.raises(client.TransportError, match=f"cannot listen at {address}: ") as caught:
        client.HTTPListener(address)
    assert caught.value.code == "conflict"


@pytest.mark.parametrize(
    ("address", "options", "said"),
    [
        ("8080", {}, r"cannot listen at '8080': expected 'host:port'"),
        ("127.0.0.1:http", {}, "expected 'host:port'"),
        ("127.0.0.1:65536", {}, "a port up to 65535"),
        ("::1:80", {}, r"'\[::1\]:port'"),
        ("unix:/tmp/sock", {}, "expected 'host:port'"),
        ("http://127.0.0.1:80", {}, "expected 'host:port'"),
        ("a..b:0", {}, "cannot listen at a..b:0: "),
        ("no-such-host.invalid:0", {}, "cannot listen at no-such-host.invalid:0: "),
        ("192.0.2.1:0", {}, "cannot listen at 192.0.2.1:0: "),
        ("127.0.0.1:0", {"inbox": 0}, "inbox must be positive, got 0"),
        ("127.0.0.1:0", {"body_timeout": -1.0}, "body_timeout must be positive, got -1.0"),
        ("127.0.0.1:0", {"path": "mist"}, "a path begins with /, got 'mist'"),
        ("127.0.0.1:0", {"token": "a\nb"}, "token must be visible ASCII"),
        ("127.0.0.1:0", {"allow_origins": "*"}, "allow_origins is a list"),
    ],
)
def test_a_wrong_address_or_option(client, address, options, said):
    """It is an error of the code `validation` that says what was expected."""
    with pytest.raises(client.TransportError, match=said) as caught:
        client.HTTPListener(address, **options)
    assert caught.value.code == "validation"


def test_a_listener_does_not_send(client):
    """It is a receiver and no transport, so that a program that would send does not type-check."""
    assert issubclass(client.HTTPListener, client.Receiver)
    assert not issubclass(client.HTTPListener, client.Transport)


def test_several_threads_receive(client, listen):
    """Each message goes to one of them, and closing ends them all."""
    listener = listen()
    received = []
    threads = [
        threading.Thread(target=lambda: received.extend(each.decode() for each in listener))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    with client.HTTP(listener.url) as peer:
        fates = peer.send_all([client.Message.new("s", "t", n) for n in range(500)])
    assert fates == [None] * 500
    listener.close()
    for thread in threads:
        thread.join(timeout=5)
    assert sorted(received) == list(range(500))


def test_many_senders_at_once(client, listen):
    """Connections are served side by side."""
    listener = listen()
    faults = []

    def send(number):
        try:
            with client.HTTP(listener.url) as peer:
                for count in range(10):
                    peer.send(client.Message.new("s", "t", [number, count]))
        except client.TransportError as error:
            faults.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    received = [listener.receive(timeout=20).decode() for _ in range(200)]
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(received) == [[number, count] for number in range(20) for count in range(10)]


def test_a_wait_has_a_timeout(client, listen):
    """It says so, and the next call goes on."""
    listener = listen()
    begin = time.monotonic()
    with pytest.raises(client.TransportTimeout, match=r"no message came within 0\.1 seconds"):
        listener.receive(timeout=0.1)
    assert time.monotonic() - begin < 5
    post(listener.url, marshal(client))
    assert listener.receive(timeout=0).payload == b"1"


def test_a_handler_of_a_signal_may_close_what_it_interrupts(listen):
    """The main thread waits in `receive`, its handler closes, and the loop ends."""
    listener = listen()
    before = signal.signal(signal.SIGINT, lambda *_: listener.close())
    try:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        assert list(listener) == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_wait_of_the_main_thread(client, listen):
    """It is a KeyboardInterrupt, and the listener can be used or closed as before."""
    listener = listen()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            listener.receive()
    finally:
        signal.signal(signal.SIGINT, before)
    assert post(listener.url, marshal(client))[0] == 202
    assert listener.receive(timeout=5).payload == b"1"
