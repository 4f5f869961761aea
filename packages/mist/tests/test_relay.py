"""`mist relay`: every message arrives, in order, whatever happens on the way."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mist.protocol import Message, marshal_lines, unmarshal_lines

posix = pytest.mark.skipif(os.name != "posix", reason="descriptors and signals as POSIX has them")


def _read(process, wanted):
    """Read stderr until a line holds the wanted text."""
    told = []
    for line in process.stderr:
        told.append(line)
        if wanted in line:
            return "".join(told)
    raise AssertionError(f"never told {wanted!r}, but: {''.join(told)}")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _kept(tmp_path):
    paths = list(tmp_path.glob("mist-undelivered-*.jsonl"))
    return unmarshal_lines(b"".join(path.read_bytes() for path in paths))


@pytest.fixture
def peer():
    """Serve HTTP with one function from the request's body to status, headers and body."""
    servers = []

    def serve(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, text = answer(body, self.headers)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                """Be silent."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_file_to_file_keeps_every_byte(mist, stream, tmp_path):
    """From file to file each line stays as it is, and the count is told on stderr."""
    ended = mist("relay", stream, "out.jsonl")
    assert (ended.status, ended.out) == (0, "")
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()
    assert re.fullmatch(r"relay: 2000 messages in \d+\.\d\d s\n", ended.err)


def test_pipes_are_sources_and_destinations(mist, stream):
    """`mist relay - -` is a filter that takes only messages through."""
    ended = mist("relay", "-", "-", given=stream.read_text() + "\n")
    assert (ended.status, ended.out) == (0, stream.read_text())


def test_gz_is_a_source(mist, tmp_path, messages):
    """A compressed file is relayed as if it were not."""
    data = marshal_lines(messages(100))
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(data))
    assert mist("relay", "in.jsonl.gz", "-").out.encode() == data


def test_over_http_into_a_file_keeps_every_byte(mist, listen, stream, tmp_path):
    """Through a listener the messages arrive in order and unchanged."""
    listener = listen("--to", "out.jsonl", "--count", 2000)
    assert mist("relay", stream, listener.url).status == 0
    assert listener.wait().status == 0
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()


@pytest.mark.parametrize("path", ["/in/box", ""])
def test_an_http_source_is_listened_at(mist, start, stream, tmp_path, path):
    """An http:// URL as source takes messages at its address and path; no path means /mist."""
    process = start("relay", f"http://127.0.0.1:0{path}", "out.jsonl")
    url = _read(process, "listening at").split()[-1]
    assert url.endswith(path or "/mist")
    assert mist("relay", stream, url).status == 0
    process.terminate()
    assert process.wait(10) == 143
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()


def test_lines_that_are_no_messages_are_told_and_skipped(mist, tmp_path, messages):
    """Malformed lines go to stderr with their number, and make the exit status 1."""
    data = marshal_lines(messages(3))
    (tmp_path / "in.jsonl").write_bytes(data + b"bad\n\n" + data + b'{"torn":')
    ended = mist("relay", "in.jsonl", "-")
    assert (ended.status, ended.out.encode()) == (1, data + data)
    assert "skipped in.jsonl:4: " in ended.err
    assert "skipped in.jsonl:9: " in ended.err
    assert "relay: 6 messages" in ended.err
    assert "2 lines skipped" in ended.err


def test_at_most_20_skipped_lines_are_shown(mist, tmp_path):
    """A file of garbage does not flood stderr."""
    (tmp_path / "in.jsonl").write_text("bad\n" * 50)
    ended = mist("relay", "in.jsonl", "-")
    assert ended.err.count("skipped in.jsonl:") == 20
    assert "50 lines skipped" in ended.err


def test_skip_passes_messages_over(mist, tmp_path, messages):
    """--skip goes on after messages that were relayed before, not counting malformed lines."""
    data = marshal_lines(messages(5))
    (tmp_path / "in.jsonl").write_bytes(b"bad\n" + data)
    assert mist("relay", "in.jsonl", "-", "--skip", 3).out.encode() == marshal_lines(
        unmarshal_lines(data)[3:]
    )


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["missing.jsonl", "-"], 3, "not_found: cannot read missing.jsonl: No such file"),
        ([".", "-"], 2, "it is a directory"),
        (["stream.jsonl", "nowhere/out.jsonl"], 3, "there is no directory nowhere"),
        (["stream.jsonl", "."], 2, "it is a directory"),
        (["stream.jsonl", "out.jsonl.gz"], 2, "compressed files can only be read"),
        (["stream.jsonl", "gopher://x"], 2, "unknown scheme 'gopher'"),
        (["stream.jsonl", "http:///x"], 2, "names no host"),
        (["stream.jsonl", "stream.jsonl"], 2, "source and destination are the same file"),
        (["stream.jsonl", "file:./stream.jsonl"], 2, "source and destination are the same file"),
        ([":1", ":1"], 2, "source and destination are the same"),
        (["https://127.0.0.1:0", "-"], 2, "mist listen --cert"),
        (["stream.jsonl", "-", "--token", "t"], 2, "--token: only HTTP takes this"),
        (["stream.jsonl", "-", "--skip=-1"], 2, "--skip"),
        (["stream.jsonl", "http://127.0.0.1:1", "--timeout", "0"], 2, "timeout must be positive"),
        (["stream.jsonl", "http://127.0.0.1:1", "--timeout", "nan"], 2, "timeout must be positive"),
        (["stream.jsonl", "chan:x"], 2, "a channel is inside one process"),
        (["chan:", "out.jsonl"], 2, "a channel is inside one process"),
        (["stream.jsonl", "https://127.0.0.1:1", "--ca", "missing.pem"], 3, "missing.pem"),
        (["stream.jsonl"], 2, "<dst>"),
        (["stream.jsonl", "-", "--folow"], 2, "--follow"),
    ],
)
def test_what_is_wrong_with_the_words_is_told(execute, stream, words, status, reason):
    """A wrong source, destination or flag ends with its reason alone and the code's status."""
    before = stream.read_bytes()
    ended = execute("relay", *words)
    assert (ended.status, ended.out) == (status, "")
    assert reason in ended.err
    assert ended.err.startswith("mist: ")
    assert ended.err.count("\n") == 1
    assert stream.read_bytes() == before


def test_standard_input_that_is_the_destination_is_refused(start, tmp_path, messages):
    """`mist relay - f < f` would never end."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(marshal_lines(messages(3)))
    with path.open() as file:
        process = start("relay", "-", "in.jsonl", stdin=file)
        assert process.wait(10) == 2
    assert "same file" in process.stderr.read()


@posix
@pytest.mark.parametrize("destination", ["/dev/full", "-"])
def test_a_full_disk_is_an_error(start, stream, destination):
    """What cannot be written ends the relay, and says why."""
    with Path("/dev/full").open("w") as full:
        process = start("relay", stream, destination, stdout=full)
        assert process.wait(10) == 6
    assert "No space left on device" in process.stderr.read()


@posix
def test_the_line_to_send_what_was_kept_can_be_typed(mist, tmp_path, ping_line):
    """A destination with a space in its name is quoted for the shell."""
    (tmp_path / "my file").symlink_to("/dev/full")
    ended = mist("relay", "-", "my file", given=ping_line)
    (kept,) = tmp_path.glob("mist-undelivered-*.jsonl")
    assert f"mist relay {kept.name} 'file:my file'\n" in ended.err


@posix
def test_a_reader_that_has_gone_is_no_error(start, tmp_path):
    """`mist relay f - | head` ends silently, with the status of any filter."""
    big = Message.new("test", "acme.order", "x" * 1000)
    (tmp_path / "in.jsonl").write_bytes(marshal_lines([big]) * 2000)
    process = start("relay", "in.jsonl", "-")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(10) == 141
    assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((401, {}, b"who are you"), (4, "401 Unauthorized: who are you")),
        ((404, {}, b""), (3, "404 Not Found")),
        ((413, {}, b""), (8, "413")),
        ((500, {}, b"oops"), (7, "500 Internal Server Error: oops")),
        ((200, {"Content-Type": "text/html"}, b"<html>hello"), (7, "is not a MIST listener")),
        ((301, {"Location": "http://else/"}, b""), (7, "redirecting to http://else/")),
    ],
)
def test_a_destination_that_refuses_for_good_ends_it(execute, stream, peer, answer, outcome):
    """An answer that waiting does not change is an error."""
    url = peer(lambda _body, _headers: answer)
    status, reason = outcome
    ended = execute("relay", stream, url)
    assert ended.status == status
    assert reason in ended.err
    assert ended.err.startswith("mist: ")
    assert ended.err.count("\n") == 1


def test_where_a_file_stopped_is_told(mist, stream, peer):
    """When a destination refuses on the way, it is told how many messages to skip next time."""
    taken = []

    def answer(body, _headers):
        taken.append(body)
        return (202 if len(taken) <= 70 else 401), {}, b""

    assert "to go on from here: --skip 70\n" in mist("relay", stream, peer(answer)).err


def test_what_a_pipe_gave_is_kept_when_the_destination_refuses(mist, peer, tmp_path, stream):
    """Messages from standard input that cannot be delivered are kept in a file, and told."""
    taken = []

    def answer(body, _headers):
        taken.append(body)
        return (202 if len(taken) <= 5 else 401), {}, b""

    ended = mist("relay", "-", peer(answer), given=stream.read_text())
    assert ended.status == 4
    assert "they are kept in mist-undelivered-" in ended.err
    sent = unmarshal_lines(stream.read_bytes())
    kept = _kept(tmp_path)
    assert kept == sent[5 : 5 + len(kept)]
    assert len(kept) >= 512


def test_a_message_refused_inside_a_batch_is_where_to_go_on(mist, peer, stream):
    """Of a batch, everything behind a refused message counts as not sent: none is passed over."""

    def answer(body, headers):
        accepts = {"Accept-Post": "application/json, application/x-ndjson"}
        if headers["Content-Type"] == "application/json":
            return 202, accepts, b""
        fate = {"index": 29, "status": 400, "error": "not that one"}
        text = json.dumps({"accepted": body.count(b"\n") - 1, "rejected": [fate]})
        return 200, accepts, text.encode()

    ended = mist("relay", stream, peer(answer))
    assert ended.status == 8
    assert "not that one" in ended.err
    skip = int(re.search(r"to go on from here: --skip (\d+)\n", ended.err)[1])
    # How many go alone before batches are known is a matter of timing; then 29 of a batch.
    assert 30 <= skip <= 512 + 29


@posix
def test_what_a_named_pipe_gave_is_kept(start, tmp_path, stream):
    """A path that is a pipe can be read only once, so that nothing read from it may be lost."""
    os.mkfifo(tmp_path / "pipe")
    relay = start("relay", "pipe", f"127.0.0.1:{_free_port()}")
    with (tmp_path / "pipe").open("wb") as pipe:
        pipe.write(b"".join(stream.read_bytes().splitlines(keepends=True)[:100]))
    _read(relay, "waiting: ")
    relay.send_signal(signal.SIGINT)
    assert relay.wait(10) == 130
    assert _kept(tmp_path) == messages_of(stream)[:100]


def test_a_peer_that_takes_single_messages_gets_them_in_order(mist, peer, stream):
    """A peer that knows no batches gets one request a message, in order."""
    taken = []

    def answer(body, headers):
        assert headers["Content-Type"] == "application/json"
        taken.append(body)
        return 202, {}, b""

    assert mist("relay", stream, peer(answer)).status == 0
    assert b"\n".join(taken) + b"\n" == stream.read_bytes()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_peer_that_is_busy_is_waited_for(mist, peer, tmp_path, messages, status):
    """What proxies answer for a while is waited out, and the order is kept."""
    (tmp_path / "in.jsonl").write_bytes(marshal_lines(messages(20)))
    taken, refused = [], []

    def answer(body, _headers):
        if len(refused) <= len(taken) // 4:
            refused.append(body)
            return status, {}, b"busy"
        taken.append(body)
        return 202, {}, b""

    ended = mist("relay", "in.jsonl", peer(answer))
    assert ended.status == 0
    assert unmarshal_lines(b"\n".join(taken)) == messages_of(tmp_path / "in.jsonl")


def messages_of(path):
    """Read the messages of a file."""
    return unmarshal_lines(path.read_bytes())


def test_a_full_inbox_is_waited_for_in_order(start, listen, stream):
    """A listener whose own destination is slow refuses for want of room; order is kept."""
    listener = listen("--inbox", 7, "--count", 2000)
    relay = start("relay", stream, listener.url)
    # Nobody reads the listener's stdout: it fills, then the inbox does, and the relay waits.
    told = _read(relay, "waiting: ")
    assert "503" in told
    out, _ = listener.process.communicate(timeout=30)
    assert out == stream.read_text()
    assert relay.wait(10) == 0
    assert "resumed after" in relay.stderr.read()


def test_a_destination_that_is_not_there_yet_is_waited_for(start, listen, stream, tmp_path):
    """A refused connection is told once, and the relay goes on when somebody listens."""
    port = _free_port()
    relay = start("relay", stream, f"127.0.0.1:{port}")
    told = _read(relay, "waiting: ")
    assert "Connection refused" in told
    listener = listen("--to", "out.jsonl", "--count", 2000, port=port)
    assert listener.wait().status == 0
    assert relay.wait(10) == 0
    told = relay.stderr.read()
    assert "resumed after" in told
    assert "waiting" not in told
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()


@posix
def test_a_receiver_that_is_killed_again_and_again_gets_everything(start, tmp_path, messages):
    """Whatever a killed receiver had stored, the relay goes on: nothing is missing, in order.

    What the killed process had taken and not yet stored dies with it, as for any receiver that
    answers before it stores; so the receiver here is one that stores first.
    """
    sent = messages(400)
    (tmp_path / "in.jsonl").write_bytes(marshal_lines(sent))
    port = _free_port()

    def receiver():
        process = subprocess.Popen(
            [sys.executable, "-c", _STORING, port, str(tmp_path / "out.jsonl")],
            stdout=subprocess.PIPE,
        )
        process.stdout.readline()
        return process

    process = receiver()
    relay = start("relay", "in.jsonl", f"127.0.0.1:{port}")
    for _ in range(3):
        stored = _size(tmp_path / "out.jsonl")
        while _size(tmp_path / "out.jsonl") == stored and relay.poll() is None:
            time.sleep(0.005)
        process.kill()
        with process:
            pass
        process = receiver()
    assert relay.wait(30) == 0
    process.kill()
    with process:
        pass
    arrived = messages_of(tmp_path / "out.jsonl")
    once = list({message.id: message for message in arrived}.values())
    assert once == sent
    assert len(arrived) <= len(sent) + 3


def _size(path):
    return path.stat().st_size if path.exists() else 0


_STORING = """
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], "ab") as file:
            file.write(body + b"\\n")
        time.sleep(0.003)
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
"""


@posix
def test_ctrl_c_in_an_outage_ends_at_once_and_keeps_what_was_read(start, stream, tmp_path):
    """Messages from a pipe that found no destination are kept in a file when Ctrl-C comes."""
    with stream.open() as file:
        relay = start("relay", "-", f"127.0.0.1:{_free_port()}", stdin=file)
        _read(relay, "waiting: ")
        interrupted = time.monotonic()
        relay.send_signal(signal.SIGINT)
        assert relay.wait(10) == 130
    assert time.monotonic() - interrupted < 3
    told = relay.stderr.read()
    kept = _kept(tmp_path)
    assert kept == messages_of(stream)[: len(kept)]
    assert f"{len(kept)} messages were read and not delivered" in told
    assert told.endswith("mist: cancelled: interrupted\n")


@posix
def test_ctrl_c_with_a_peer_that_hangs_can_be_repeated(start, stream, tmp_path):
    """The first Ctrl-C gives the peer some seconds and says so, the second ends at once."""
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        port = hangs.getsockname()[1]
        with stream.open() as file:
            relay = start("relay", "-", f"127.0.0.1:{port}", stdin=file)
            connection, _ = hangs.accept()
            with connection:
                connection.recv(10)
                relay.send_signal(signal.SIGINT)
                _read(relay, "interrupt again to end at once")
                relay.send_signal(signal.SIGINT)
                assert relay.wait(4) == 130
    kept = _kept(tmp_path)
    assert kept
    assert kept == messages_of(stream)[: len(kept)]


@posix
def test_follow_waits_for_more_and_ctrl_c_ends_it(start, tmp_path, messages):
    """--follow relays what is appended later, and Ctrl-C ends it promptly."""
    first, second = messages(2)
    path = tmp_path / "in.jsonl"
    path.write_bytes(marshal_lines([first]))
    relay = start("relay", "--follow", "in.jsonl", "-")
    assert relay.stdout.readline().encode() == marshal_lines([first])
    with path.open("ab") as file:
        file.write(marshal_lines([second]))
    assert relay.stdout.readline().encode() == marshal_lines([second])
    relay.send_signal(signal.SIGINT)
    assert relay.wait(3) == 130


@posix
def test_kill_ends_it_with_its_status(start, tmp_path, messages):
    """SIGTERM ends a waiting relay with 143 and tells the count."""
    (tmp_path / "in.jsonl").write_bytes(marshal_lines(messages(2)))
    relay = start("relay", "--follow", "in.jsonl", "-")
    assert all(relay.stdout.readline() for _ in range(2))
    relay.terminate()
    assert relay.wait(30) == 143
    assert "relay: 2 messages" in relay.stderr.read()


def test_flags_have_defaults_in_the_environment(mist, listen, stream, tmp_path):
    """MIST_RELAY_TOKEN and its like stand for flags; the flag wins."""
    listener = listen("--to", "out.jsonl", MIST_LISTEN_TOKEN="secret", MIST_LISTEN_COUNT="2000")
    assert mist("relay", stream, listener.url).status == 4
    assert (
        mist("relay", stream, listener.url, "--token", "x", MIST_RELAY_TOKEN="secret").status == 4
    )
    assert mist("relay", stream, listener.url, MIST_RELAY_TOKEN="secret").status == 0
    assert listener.wait().status == 0
    assert (tmp_path / "out.jsonl").read_bytes() == stream.read_bytes()


def test_json_errors_come_after_what_is_told(mist):
    """With --json the last line on stderr is an error object."""
    ended = mist("relay", "missing.jsonl", "-", "--json")
    assert json.loads(ended.err.splitlines()[-1])["code"] == "not_found"
