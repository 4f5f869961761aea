"""The Python client's HTTP listener and peers that are dead, slow, or mean harm."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

BODY = b'{"version":"1","id":"a","source":"s","type":"t","payload":1}'
HEAD = b"POST /mist HTTP/1.1\r\nHost: x\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)
WHOLE = HEAD + LENGTH + b"\r\n" + BODY
QUICK = {"header_timeout": 0.3, "body_timeout": 0.3}


def until(condition):
    """Wait for what another thread is about to bring about."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


SLOW = (
    (HEAD, b"X: y\r\n", 408),
    (HEAD + b"X: ", b"y", 408),
    (HEAD + b"Content-Length: 99999\r\n\r\n", b"{", 408),
    (HEAD + CHUNKED + b"\r\n", b"1\r\n{\r\n", 408),
    (HEAD + CHUNKED + b"\r\n0\r\n", b"X: y\r\n", 408),
    (WHOLE + HEAD, b"y", 408),
    (HEAD.replace(b"mist", b"else") + CHUNKED + b"\r\n", b"1\r\n{\r\n", 404),
    (b"OPTIONS /mist HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"\r\n", b"1\r\n{\r\n", 204),
)
"""How requests of slow peers begin, what comes of them now and then, and what that is answered."""


def test_slow_peers_do_not_keep_their_connections(listen, connect, exchange, read_all):
    """Each part of a request has a deadline as a whole, however often a byte comes."""
    listener = listen(**QUICK)

    def go_slowly(start, drip, status):
        begin = time.monotonic()
        with connect(listener) as peer:
            peer.sendall(start)
            with suppress(ConnectionError):
                while time.monotonic() - begin < 10:
                    peer.sendall(drip)
                    time.sleep(0.02)
            with suppress(ConnectionError):
                statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", read_all(peer))
                assert statuses[-1] == b"%d" % status, start
        assert time.monotonic() - begin < 5, start

    with ThreadPoolExecutor(len(SLOW)) as peers:
        for ended in [peers.submit(go_slowly, *each) for each in SLOW]:
            ended.result()
    assert exchange(listener, WHOLE) == [202]


def test_a_silent_peer_is_cut_off_and_an_idle_one_is_not(listen, connect, read_all):
    """Who never said what it wants goes; who was served once may take its time."""
    listener = listen(**QUICK)
    with connect(listener) as silent, connect(listener) as idle:
        idle.sendall(WHOLE)
        assert idle.recv(1 << 16).startswith(b"HTTP/1.1 202 ")
        assert read_all(silent) == b""
        time.sleep(0.5)  # longer than the timeouts
        idle.sendall(WHOLE)
        assert idle.recv(1 << 16).startswith(b"HTTP/1.1 202 ")


def test_a_peer_that_does_not_read_its_answers_is_cut_off(listen, connect, exchange):
    """Answers pile up only so far, and for only so long."""
    listener = listen(**QUICK)
    with connect(listener) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(ConnectionError):
            peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000_000)
    assert exchange(listener, WHOLE) == [202]


@pytest.mark.parametrize(
    "said", [b"", b"PO", HEAD, HEAD + LENGTH + b"\r\n{", HEAD + CHUNKED + b"\r\n9"]
)
def test_a_peer_that_goes_away_leaves_nothing(client, listen, said, connect, exchange):
    """Wherever it stops, its connection ends, and nothing of it is received."""
    listener = listen()
    assert exchange(listener, said) == []
    with connect(listener) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset
        peer.sendall(said)
    assert exchange(listener, WHOLE) == [202]
    assert listener.receive(timeout=5).payload == b"1"
    with pytest.raises(client.TransportTimeout):
        listener.receive(timeout=0)


def test_connections_are_bounded_and_more_are_turned_away(listen, connect, exchange, read_all):
    """Those beyond the bound are told to come back; a place that is given up is another's."""
    listener = listen(max_connections=2)
    with ExitStack() as others:
        held = [others.enter_context(connect(listener)) for _ in range(2)]
        for peer in held:
            peer.sendall(WHOLE)
            assert peer.recv(1 << 16).startswith(b"HTTP/1.1 202 ")
        with connect(listener) as peer:
            peer.sendall(WHOLE)
            answer = read_all(peer)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in answer
        assert b"\r\nAccept-Post: application/json, application/x-ndjson\r\n" in answer
        assert answer.endswith(b"\r\n\r\ntoo many connections\n")
        crowd = [others.enter_context(connect(listener)) for _ in range(100)]
        for peer in crowd:
            assert read_all(peer)[:13] in {b"", b"HTTP/1.1 503 "}
        held[0].close()
        until(lambda: exchange(listener, WHOLE) == [202])


def test_bodies_that_arrive_at_once_share_a_bound(listen, connect, exchange):
    """Peers that each keep within their own limit do not fill the memory together."""
    listener = listen(inbox_bytes=100_000, body_timeout=60.0)
    begun = HEAD + b"Content-Length: 90000\r\n\r\n"

    def second_is_refused():  # or else the first, if it came later
        with connect(listener) as first:
            first.sendall(begun + b" " * 80_000)
            return exchange(listener, begun + b" " * 90_000) == [503]

    until(second_is_refused)
    large = BODY.replace(b"1}", b'"%b"}' % (b"y" * 200_000))
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(large) + large
    until(lambda: exchange(listener, request) == [202])  # alone, it may be larger
    assert len(listener.receive(timeout=5).payload) == 200_002


def test_a_body_counts_until_it_is_taken(listen, connect):
    """Those that wait to be read, one at a time, are held within the same bound."""
    listener = listen(inbox_bytes=1000)
    request = HEAD + b"Content-Length: 900\r\n\r\n" + BODY + b" " * (900 - len(BODY))
    with ExitStack() as connections:
        peers = [connections.enter_context(connect(listener)) for _ in range(3)]
        with listener._taking:
            for peer in peers:
                peer.sendall(request)
            until(lambda: len(select.select(peers, [], [], 0)[0]) == 2)
        assert sorted(peer.recv(1 << 16)[:12] for peer in peers) == [
            b"HTTP/1.1 202",
            b"HTTP/1.1 503",
            b"HTTP/1.1 503",
        ]


def test_bodies_that_are_bombs_take_little(listen, connect, exchange):
    """What is announced takes nothing, and texts whose values take much are read one at a time."""
    listener = listen()
    bomb = BODY.replace(b"1}", b"[%b]}" % b",".join([b"[]"] * 200_000))
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb
    tracemalloc.start()
    try:
        assert exchange(listener, request) == [202]
        alone = tracemalloc.get_traced_memory()[1]
        assert alone > 10 * len(bomb)
        tracemalloc.reset_peak()
        with ExitStack() as others:
            for _ in range(50):
                peer = others.enter_context(connect(listener))
                peer.sendall(HEAD + b"Content-Length: 10000000\r\n\r\n{")
            threads = [
                threading.Thread(target=exchange, args=(listener, request)) for _ in range(6)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        # 2.1 times as much if they were read side by side.
        assert tracemalloc.get_traced_memory()[1] < 1.8 * alone
    finally:
        tracemalloc.stop()


def test_closing_is_bounded(listen, connect, read_all):
    """What has begun has its time to be finished, and idle or half-dead peers do not delay it."""
    listener = listen(shutdown_timeout=0.5)
    with connect(listener) as idle, connect(listener) as silent, connect(listener) as late:
        idle.sendall(WHOLE)
        assert idle.recv(1 << 16).startswith(b"HTTP/1.1 202 ")
        late.sendall(HEAD + LENGTH + b"Expect: 100-continue\r\n\r\n")
        assert late.recv(1 << 16).startswith(b"HTTP/1.1 100 ")
        closing = threading.Thread(target=listener.close)
        begin = time.monotonic()
        closing.start()
        assert read_all(idle) == read_all(silent) == b""
        late.sendall(BODY)
        answer = read_all(late)
        assert answer.startswith(b"HTTP/1.1 202 ")
        assert b"\r\nConnection: close\r\n" in answer
        closing.join()
    listener.close()
    assert time.monotonic() - begin < 0.5
    assert len(list(listener)) == 2
    listener = listen(shutdown_timeout=0.2)
    with connect(listener) as dead:
        dead.sendall(HEAD + LENGTH + b"Expect: 100-continue\r\n\r\n")
        assert dead.recv(1 << 16).startswith(b"HTTP/1.1 100 ")
        begin = time.monotonic()
        listener.close()
        assert time.monotonic() - begin < 2
        assert read_all(dead) == b""
    with pytest.raises(ConnectionRefusedError), connect(listener):
        pass


SERVICE = """
import sys
sys.path.insert(0, sys.argv[1])
import mist_client as mist
listener = mist.HTTPListener()
print(listener.url, flush=True)
{}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no bound on descriptors to set")
def test_a_process_without_descriptors_listens_on(client):
    """More connections than can be accepted wait, and cost no processor time."""
    script = """
import resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
begin = time.process_time()
with listener:
    listener.receive()
print(time.process_time() - begin < 0.5)
"""
    command = [sys.executable, "-I", "-c", SERVICE.format(script), Path(client.__file__).parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = urllib.parse.urlsplit(process.stdout.readline().strip())
        address = (url.hostname, url.port)
        with ExitStack() as crowd:
            for _ in range(64):
                crowd.enter_context(socket.create_connection(address, timeout=20))
            time.sleep(1.0)  # in which it could be busy with what it cannot accept
        with socket.create_connection(address, timeout=20) as peer:
            peer.sendall(WHOLE)
            assert peer.recv(1 << 16).startswith(b"HTTP/1.1 202 ")
        assert process.wait(10) == 0
        assert process.stdout.read() == "True\n"


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("print(listener.receive().decode())", 0),
        ("with listener: print(listener.receive().decode())", 0),
        ("print(listener.receive().decode()); raise SystemExit(3)", 3),
    ],
)
def test_its_threads_do_not_keep_the_process_alive(client, script, status):
    """A program ends when its main thread does, whether it closes the listener or forgets it."""
    directory = Path(client.__file__).parent
    command = [sys.executable, "-I", "-X", "dev", "-c", SERVICE.format(script), directory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        url = urllib.parse.urlsplit(process.stdout.readline().decode().strip())
        with socket.create_connection((url.hostname, url.port), timeout=20) as peer:
            peer.sendall(WHOLE)
            assert process.wait(10) == status
        assert process.stdout.read() == b"1" + os.linesep.encode()
        assert b"Traceback" not in process.stderr.read()


INTERRUPTED = """
import signal
received, interrupts = [], 0
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
def receive():
    while received[-1:] != ["end"]:
        received.append(listener.receive(timeout=20).decode())
while True:
    try:
        receive()
        break
    except KeyboardInterrupt:
        interrupts += 1
listener.close()
received.pop()
print(interrupts > 20, len(received) > 1900, received == sorted(set(received)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no signals to send")
def test_a_receiver_that_is_interrupted_again_and_again(client):
    """Each Ctrl-C is a KeyboardInterrupt and nothing else, and costs hardly ever a message."""
    command = [
        sys.executable,
        "-I",
        "-c",
        SERVICE.format(INTERRUPTED),
        Path(client.__file__).parent,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()

        def send():
            with client.HTTP(url) as peer:
                for number in range(2000):
                    peer.send(client.Message.new("s", "t", number))

        sending = threading.Thread(target=send)
        sending.start()
        assert process.stdout.readline() == "ready\n"
        while sending.is_alive():
            time.sleep(0.01)
            process.send_signal(signal.SIGINT)
        sending.join()
        with client.HTTP(url) as peer:
            peer.send(client.Message.new("s", "t", "end"))
        assert process.wait(30) == 0
        assert process.stdout.read() == "True True True\n"
