"""The generated Python client in a bare interpreter, against the real thing.

Every client here runs under `python -I`: no site directory of the user, no environment, nothing
on the path but the standard library and the one generated file.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

import pytest

from mist.bindings import export
from mist.protocol import InferResponse, Message, marshal_lines, unmarshal_lines

PRELUDE = "import sys; sys.path.insert(0, sys.argv.pop(1)); import mist_client as mist\n"
EVERY_PYTHON = [f"3.{minor}" for minor in range(8, 15)]


@cache
def find_python(version):
    """Return an interpreter of a version that runs here, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        sys.executable,
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"versions/{version}.*/bin/python")),
    ]
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        answer = subprocess.run(
            [candidate, "-I", "-c", ask], capture_output=True, text=True, timeout=30, check=False
        )
        if answer.stdout.strip() == version:
            return str(candidate)
    return None


def _require_python(version):
    found = find_python(version)
    if found is None:
        pytest.skip(f"there is no Python {version} on this machine")
    return found


@pytest.fixture(params=EVERY_PYTHON)
def every_python(request):
    """Each interpreter from 3.8 that this machine has."""
    return _require_python(request.param)


@pytest.fixture(scope="session")
def oldest_python():
    """The oldest interpreter from 3.8 that this machine has."""
    return next(filter(None, map(find_python, EVERY_PYTHON)))


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    """The directory that the client was exported to."""
    directory = tmp_path_factory.mktemp("client")
    export("python", directory)
    return directory


@pytest.fixture
def run(client, oldest_python, tmp_path):
    """Run a script with the client at hand, and return what it prints."""

    def run_script(script, *arguments, python=oldest_python, status=0, **options):
        ended = subprocess.run(
            [python, "-I", "-X", "utf8", "-c", PRELUDE + script, client, *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
            **options,
        )
        assert ended.returncode == status, ended.stderr.decode()
        return ended.stdout.decode()

    return run_script


@pytest.fixture
def golden_lines(golden):
    """Every golden message, without its checksum and with it, as JSON lines."""
    records = [json.loads(line) for line in (golden / "wire.jsonl").read_bytes().splitlines()]
    lines = [record[form] for record in records for form in ("wire", "wire_with_checksum")]
    return "".join(line + "\n" for line in lines).encode()


POST_FILE = """
with open(sys.argv[2], "rb") as file:
    messages = mist.unmarshal_lines(file.read())
with mist.HTTP(sys.argv[1]) as peer:
    for message in messages:
        peer.send(message)
"""

READ_FILE = """
import json
with open(sys.argv[1], "rb") as file:
    messages = mist.unmarshal_lines(file.read())
for message in messages:
    payload = message.decode()
    print(json.dumps([message.type, message.verify_checksum(), type(payload).__name__]))
"""

SEND_ONE = """
peer = mist.HTTP(sys.argv[1], timeout=float(sys.argv[2]))
try:
    peer.send(mist.Message.new("acme", "health.ping", mist.HealthPing("me")))
except mist.TransportError as error:
    print(type(error).__name__, error.code, error)
else:
    print("taken")
"""


@pytest.mark.interop("http-file", client="python")
def test_golden_messages_through_a_listener_and_back(
    run, every_python, golden_lines, tmp_path, peers
):
    """All golden messages go to `mist listen`, into a file, and are read again, to the byte."""
    (tmp_path / "golden.jsonl").write_bytes(golden_lines)
    count = golden_lines.count(b"\n")
    with peers.mist_listener(tmp_path, count) as url:
        run(POST_FILE, url, "golden.jsonl", python=every_python)
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines
    told = run(READ_FILE, "received.jsonl", python=every_python).splitlines()
    ours = [
        [message.type, True, type(message.decode()).__name__]
        for message in unmarshal_lines(golden_lines)
    ]
    assert [json.loads(line) for line in told] == ours
    assert sum(message.checksum != 0 for message in unmarshal_lines(golden_lines)) == count // 2


@pytest.mark.interop("hard-text", client="python")
def test_hard_text(run, tmp_path, peers):
    """Text that encoders disagree about arrives as it was, and its checksum holds."""
    script = """
import json
text = json.loads(sys.argv[2])
request = mist.InferRequest(model=text, params={text: [text]}, meta={text: text})
with mist.HTTP(sys.argv[1]) as peer:
    peer.send(mist.Message.new("acme", "infer.request", request).with_checksum())
"""
    with peers.mist_listener(tmp_path, 1) as url:
        run(script, url, json.dumps(peers.HARD_TEXT))
    (message,) = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    request = message.decode()
    assert (request.model, request.params, request.meta) == (
        peers.HARD_TEXT,
        {peers.HARD_TEXT: [peers.HARD_TEXT]},
        {peers.HARD_TEXT: peers.HARD_TEXT},
    )
    assert message.checksum
    assert message.verify_checksum()
    assert message.payload == Message.new("acme", "infer.request", request).payload
    assert b"\\u003c\\u003e\\u0026" in bytes(message.payload)
    again = """
import json
(message,) = mist.unmarshal_lines(open("received.jsonl", "rb").read())
print(json.dumps([message.decode().model, message.verify_checksum()]))
"""
    assert json.loads(run(again)) == [peers.HARD_TEXT, True]


@pytest.mark.interop("int64", client="python")
def test_integers_at_the_limits(run, tmp_path, peers):
    """The least and the largest int64 arrive exactly, typed and in free-form JSON."""
    least, largest = -(1 << 63), (1 << 63) - 1
    script = """
response = mist.InferResponse(tokens_in=-1 << 63, tokens_out=(1 << 63) - 1)
with mist.HTTP(sys.argv[1]) as peer:
    peer.send(mist.Message.new("acme", "infer.response", response))
    peer.send(mist.Message.new("acme", "acme.free", [-1 << 63, (1 << 63) - 1, 1 << 53 | 1]))
"""
    with peers.mist_listener(tmp_path, 2) as url:
        run(script, url)
    typed, free = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    assert typed.decode() == InferResponse(tokens_in=least, tokens_out=largest)
    assert free.decode() == [least, largest, (1 << 53) + 1]
    again = """
typed, free = mist.unmarshal_lines(open("received.jsonl", "rb").read())
response = typed.decode()
print(response.tokens_in, response.tokens_out, *free.decode())
"""
    assert run(again) == f"{least} {largest} {least} {largest} {(1 << 53) + 1}\n"


@pytest.mark.interop("batches", client="python")
def test_batches(run, tmp_path, golden_lines, peers):
    """What is sent at once, by one thread or by many, arrives whole; each send has its fate."""
    (tmp_path / "golden.jsonl").write_bytes(golden_lines)
    script = """
import threading
messages = mist.unmarshal_lines(open(sys.argv[2], "rb").read())
with mist.HTTP(sys.argv[1]) as peer:
    peer.send(messages[0])
    assert peer.send_all(messages[1:]) == [None] * (len(messages) - 1)
    threads = [threading.Thread(target=peer.send, args=(each,)) for each in messages]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""
    count = golden_lines.count(b"\n")
    with peers.mist_listener(tmp_path, 2 * count) as url:
        run(script, url, "golden.jsonl")
    received = (tmp_path / "received.jsonl").read_bytes().splitlines(keepends=True)
    assert b"".join(received[:count]) == golden_lines
    assert sorted(received[count:]) == sorted(golden_lines.splitlines(keepends=True))


@pytest.mark.interop("batches", client="python")
def test_each_message_of_a_batch_has_its_own_fate(run, tmp_path, peers):
    """Of a batch, a real listener takes what is a message until its inbox is full."""
    script = """
import dataclasses
orders = [mist.Message.new("acme", "acme.order", {"number": n}) for n in range(5)]
orders[2] = dataclasses.replace(orders[2], payload=b"nonsense")
with mist.HTTP(sys.argv[1], attempts=1) as peer:
    peer.send(orders[0])
    print(*[202 if fate is None else fate.status for fate in peer.send_all(orders[1:])])
"""
    with peers.transport_listener(tmp_path, "await asyncio.sleep(30)", inbox=3) as (url, _):
        assert run(script, url) == "202 400 202 503\n"


@pytest.mark.interop("batches", client="python")
def test_a_batch_is_one_request(run, peers):
    """A batch is posted at once; of its messages only those that the peer rejects fail."""
    rejected = json.dumps(
        {"accepted": 1, "rejected": [{"index": 1, "status": 400, "error": "no such suite"}]}
    ).encode()

    def answer(handler, number):
        announced = {"Accept_Post": "application/json, application/x-ndjson"}
        if number == 1:
            peers.reply(handler, 202, **announced)
        else:
            peers.reply(handler, 200, rejected, **announced, Content_Type="application/json")

    script = """
message = mist.Message.new("acme", "acme.order", {"number": 7})
with mist.HTTP(sys.argv[1]) as peer:
    peer.send(message)
    first, second = peer.send_all([message, message])
    print(first, second.status, second.code, second.body)
"""
    with peers.http_server(answer) as (url, seen):
        assert run(script, url) == "None 400 protocol no such suite\n"
    assert [kind for kind, _ in seen] == ["application/json", "application/x-ndjson"]
    assert len(unmarshal_lines(seen[1][1])) == 2


@pytest.mark.interop("no-batches", client="python")
def test_a_listener_without_batches(run, tmp_path, golden_lines, peers):
    """A listener that takes no batches gets single messages, in order."""
    (tmp_path / "golden.jsonl").write_bytes(golden_lines)
    count = golden_lines.count(b"\n")
    listener = f"""
import asyncio
from mist.transport import HTTP, File
async def main():
    async with HTTP(batch=False) as http, File("received.jsonl") as file:
        await http.listen("127.0.0.1:0")
        print(f"http://{{http.addr}}", flush=True)
        for _ in range({count}):
            await file.send(await http.receive())
asyncio.run(main())
"""
    script = """
messages = mist.unmarshal_lines(open(sys.argv[2], "rb").read())
with mist.HTTP(sys.argv[1]) as peer:
    peer.send(messages[0])
    assert peer.send_all(messages[1:]) == [None] * (len(messages) - 1)
"""
    with peers.listener_script(tmp_path, listener) as (url, process):
        run(script, url, "golden.jsonl")
        assert process.wait(30) == 0
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines


@pytest.mark.interop("stdio", client="python")
def test_a_pipeline_out_of_the_client(  # noqa: PLR0917  # fixtures
    client, every_python, run, golden_lines, tmp_path, peers
):
    """`python -I client | mist relay - file` carries every golden message, to the byte."""
    (tmp_path / "golden.jsonl").write_bytes(golden_lines)
    script = PRELUDE + (
        "stdio = mist.Stdio()\n"
        "for message in mist.unmarshal_lines(open('golden.jsonl', 'rb').read()):\n"
        "    stdio.send(message)\n"
    )
    writer = subprocess.Popen(
        [every_python, "-I", "-c", script, client], cwd=tmp_path, stdout=subprocess.PIPE
    )
    with writer:
        subprocess.run(
            [*peers.MIST, "relay", "-", "received.jsonl"],
            cwd=tmp_path,
            stdin=writer.stdout,
            capture_output=True,
            timeout=60,
            check=True,
        )
    assert writer.returncode == 0
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines
    assert run(READ_FILE, "received.jsonl").count("true") == golden_lines.count(b"\n")


@pytest.mark.interop("stdin", client="python")
def test_a_pipeline_into_the_client(client, oldest_python, golden_lines, tmp_path, peers):
    """`mist relay file - | python -I client` gives every golden message to the client's loop."""
    (tmp_path / "golden.jsonl").write_bytes(golden_lines)
    script = PRELUDE + (
        "received = open('received.jsonl', 'wb')\n"
        "for message in mist.Stdio():\n"
        "    assert message.verify_checksum()\n"
        "    received.write(message.marshal() + b'\\n')\n"
    )
    relay = subprocess.Popen(
        [*peers.MIST, "relay", "golden.jsonl", "-"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with relay:
        subprocess.run(
            [oldest_python, "-I", "-c", script, client],
            cwd=tmp_path,
            stdin=relay.stdout,
            timeout=60,
            check=True,
        )
    assert relay.returncode == 0
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines


@pytest.mark.interop("receive", client="python")
def test_a_mist_sender_to_a_listener(client, every_python, golden_lines, tmp_path, peers):
    """`mist relay file http://client` is received by the client's listener, to the byte."""
    (tmp_path / "golden.jsonl").write_bytes(golden_lines)
    count = golden_lines.count(b"\n")
    script = PRELUDE + (
        "with mist.HTTPListener() as listener, open('received.jsonl', 'wb') as file:\n"
        "    print(listener.url, flush=True)\n"
        f"    for _ in range({count}):\n"
        "        message = listener.receive(timeout=30)\n"
        "        assert message.verify_checksum()\n"
        "        file.write(message.marshal() + b'\\n')\n"
    )
    listener = subprocess.Popen(
        [every_python, "-I", "-X", "dev", "-c", script, client],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with listener:
        url = listener.stdout.readline().strip()
        subprocess.run(
            [*peers.MIST, "relay", "golden.jsonl", url],
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert listener.wait(30) == 0, listener.stderr.read()
        assert listener.stderr.read() == ""
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines


@pytest.mark.interop("unknown-type", client="python")
def test_an_unknown_type_passes_untouched(run, tmp_path, peers):
    """A payload of a type that nobody knows is plain JSON, and is passed on to the byte."""
    envelope = b'{"version":"1","id":"a","source":"s","type":"acme.x","timestamp_ns":1,"payload":'
    (tmp_path / "in.jsonl").write_bytes(envelope + peers.UNKNOWN + b"}\n")
    with peers.mist_listener(tmp_path, 1) as url:
        run(POST_FILE, url, "in.jsonl")
    assert (tmp_path / "received.jsonl").read_bytes() == envelope + peers.UNKNOWN + b"}\n"
    assert run(READ_FILE, "received.jsonl") == '["acme.x", true, "dict"]\n'


@pytest.mark.interop("wrong-payload", client="python")
def test_a_wrong_payload_names_its_path(run):
    """What does not fit is an error that names the path, received or about to be sent."""
    script = """
def attempt(call):
    try:
        call()
    except mist.ProtocolError as error:
        print(error.code, error)
wrong = b'{"messages":[{"role":"user"},{"role":7}]}'
attempt(mist.Message("1", "a", "s", "infer.request", payload=wrong).decode)
request = mist.InferRequest(messages=[mist.ChatMessage("user", 7)])
attempt(lambda: mist.Message.new("s", "infer.request", request))
attempt(lambda: mist.Message.new("s", "acme.x", {"a": [0.5, float("nan")]}))
attempt(lambda: mist.Message.unmarshal(b'{"version":1}'))
"""
    wrong = "expected a string, got an integer"
    assert run(script).splitlines() == [
        f"protocol payload of infer.request: {wrong} - at `$.messages[1].role`",
        f"protocol {wrong} - at `$.messages[0].content`",
        "protocol cannot encode payload: nan has no JSON form, pass None - at `$.a[1]`",
        f"protocol not a message: {wrong} - at `$.version`",
    ]


@pytest.mark.interop("version", client="python")
def test_an_unsupported_version_is_refused(run):
    """A peer that speaks other versions is refused, by both ranges; a relay may pass it on."""
    line = Message("9", "a", "s", "t").marshal() + b"\n"
    script = """
try:
    mist.negotiate_version(mist.SUPPORTED_VERSIONS, "8-9")
except mist.UnsupportedVersion as error:
    print(error)
try:
    mist.Stdio().receive()
except mist.UnsupportedVersion as error:
    print(error)
"""
    assert run(script, input=line).splitlines() == [
        "no compatible version (local '1-1', remote '8-9')",
        "version '9' is too new: this client reads 1-1",
    ]
    relayed = "[print(m.version) for m in mist.Stdio(any_version=True)]"
    assert run(relayed, input=line) == "9\n"


@pytest.mark.interop("busy", client="python")
def test_a_busy_listener_is_waited_for(run, tmp_path, peers):
    """A listener whose inbox is full says 503 and when to come back; the message is then taken."""
    # The listener makes room a little before the client is to come back, however slow the start
    # of either was.
    listener = """
import asyncio, os
from mist.transport import HTTP
async def main():
    async with HTTP(inbox=1) as http:
        await http.listen("127.0.0.1:0")
        print(f"http://{http.addr}", flush=True)
        while not os.path.exists("soon"):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.8)
        for _ in range(2):
            await http.receive()
        await asyncio.sleep(0.1)
asyncio.run(main())
"""
    script = """
import time
message = mist.Message.new("acme", "acme.order", {})
with mist.HTTP(sys.argv[1], attempts=1) as hasty, mist.HTTP(sys.argv[1]) as patient:
    patient.send(message)
    try:
        hasty.send(message)
    except mist.Rejected as error:
        print(error.status, error.code, error.retry_after)
    open("soon", "w").close()
    begin = time.monotonic()
    patient.send(message)
    print(time.monotonic() - begin >= 0.9)
"""
    with peers.listener_script(tmp_path, listener) as (url, process):
        assert run(script, url) == "503 unavailable 1.0\nTrue\n"
        assert process.wait(30) == 0


@pytest.mark.interop("html", client="python")
def test_a_page_is_no_success(run, peers):
    """A web server that answers 200 with a page is an error that says so; so is a 404."""

    def answer(handler, number):
        peers.reply(handler, 200 if number == 1 else 404, b"<html>Welcome!</html>")

    with peers.http_server(answer) as (url, _):
        page, missing = run(SEND_ONE, url, 5), run(SEND_ONE, url, 5)
    assert page == (
        f"Rejected transport {url}/mist is not a MIST listener: it answered 200 with a page:"
        " <html>Welcome!</html>\n"
    )
    assert missing.startswith(
        f"Rejected not_found {url}/mist rejected the message: 404 Not Found: <html>"
    )


@pytest.mark.interop("dead", client="python")
def test_a_peer_that_is_not_there(run):
    """Nobody at the port: an error at once, that names the peer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    told = run(SEND_ONE, f"http://127.0.0.1:{port}", 5)
    assert told == (
        f"TransportError transport cannot connect to http://127.0.0.1:{port}/mist:"
        " Connection refused\n"
    )


@pytest.mark.interop("dead", client="python")
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 202 Acc", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_peer_that_dies_in_between(run, said):
    """A peer that goes away before its answer is whole ends the call, and all that wait."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def die():
            for _ in range(3):
                connection = server.accept()[0]
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(said)

        thread = threading.Thread(target=die)
        thread.start()
        script = """
import threading
faults = []
peer = mist.HTTP(sys.argv[1], timeout=5)
def send():
    try:
        peer.send(mist.Message.new("acme", "acme.order", {}))
    except mist.TransportError as error:
        faults.append((error.code, str(error)))
threads = [threading.Thread(target=send) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(faults), *set(faults))
"""
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        told = run(script, url)
        thread.join()
    assert told.startswith("3 (")
    assert url in told


@pytest.mark.interop("dead", client="python")
def test_a_reader_that_is_gone(client, oldest_python):
    """A pipe whose reader is gone ends a send with an error, not with a signal or a hang."""
    script = PRELUDE + (
        "try:\n"
        "    while True:\n"
        "        mist.Stdio().send(mist.Message.new('acme', 'acme.order', {}))\n"
        "except mist.TransportClosed as error:\n"
        "    print(error, file=sys.stderr)\n"
    )
    process = subprocess.Popen(
        [oldest_python, "-I", "-c", script, client], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        process.stdout.close()
        assert process.stderr.read() == b"the reader of standard output is gone\n"
        assert process.wait(10) == 0


@pytest.mark.interop("silent", client="python")
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_a_peer_that_never_answers(run, drip):
    """A peer that says nothing, or a byte now and then for ever, meets the timeout."""
    stop = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def say_little():
            connection = server.accept()[0]
            with connection, suppress(ConnectionError):  # the client leaves, as it should
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nX: ")
                while not stop.wait(0.05):
                    connection.sendall(drip)

        thread = threading.Thread(target=say_little)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        begin = time.monotonic()
        told = run(SEND_ONE, url, 0.5)
        took = time.monotonic() - begin
        stop.set()
        thread.join()
    assert told == f"TransportTimeout timeout {url}/mist did not answer within 0.5 seconds\n"
    assert took < 10


@pytest.mark.interop("silent", client="python")
def test_a_silent_pipe(client, oldest_python):
    """Waiting for a message from a silent pipe, or for a reader that does not read, ends too."""
    script = PRELUDE + (
        "stdio = mist.Stdio(timeout=0.3)\n"
        "try:\n"
        "    stdio.receive(timeout=0.3)\n"
        "except mist.TransportTimeout as error:\n"
        "    print(error, file=sys.stderr)\n"
        "try:\n"
        "    while True:\n"
        "        stdio.send(mist.Message.new('acme', 'acme.text', 'x' * 10000))\n"
        "except mist.TransportTimeout as error:\n"
        "    print(error, file=sys.stderr)\n"
    )
    process = subprocess.Popen(
        [oldest_python, "-I", "-c", script, client],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.wait(20) == 0
        assert process.stderr.read().decode().splitlines() == [
            "no message came within 0.3 seconds",
            "nobody read standard output for 0.3 seconds",
        ]


def test_closing_ends_a_call_that_waits(run):
    """`close` from another thread ends a send that waits for its answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        script = """
import threading, time
peer = mist.HTTP(sys.argv[1], timeout=30)
threading.Timer(0.3, peer.close).start()
try:
    peer.send(mist.Message.new("acme", "acme.order", {}))
except mist.TransportClosed as error:
    print(error)
"""
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        begin = time.monotonic()
        assert "was closed before it answered" in run(script, url)
        assert time.monotonic() - begin < 10


def test_lines_that_are_no_messages(run):
    """A bad line is one error that names it, also a torn last one; reading goes on after it."""
    good = marshal_lines([Message.new("acme", "acme.order", 1)])
    script = """
stdio = mist.Stdio()
while True:
    try:
        print(stdio.receive().decode())
    except mist.ProtocolError as error:
        print(error)
    except mist.EndOfStream as end:
        print(end)
        break
"""
    told = run(script, input=good + b"\r\n{bad}\n" + good + good[:40]).splitlines()
    assert told.pop(3).startswith("line 5: not a message: ")
    assert told == [
        "1",
        "line 3: not a message: expected a key in quotes at character 1",
        "1",
        "standard input has no more messages",
    ]


def test_a_token_is_sent_and_never_shown(run, tmp_path, peers):
    """A listener with a token takes who has it; an error does not repeat one that is wrong."""
    script = """
for token in ("right", "wrong-secret"):
    try:
        mist.HTTP(sys.argv[1], token=token).send(mist.Message.new("acme", "acme.order", 1))
        print("taken")
    except mist.Rejected as error:
        print(error.status, error.code, "secret" in str(error))
"""
    listener = """
import asyncio
from mist.transport import HTTP
async def main():
    async with HTTP(token="right") as http:
        await http.listen("127.0.0.1:0")
        print(f"http://{http.addr}", flush=True)
        await asyncio.sleep(30)
asyncio.run(main())
"""
    with peers.listener_script(tmp_path, listener) as (url, _):
        assert run(script, url) == "taken\n401 auth False\n"
