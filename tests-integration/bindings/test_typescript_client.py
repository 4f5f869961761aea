"""The generated TypeScript client on Node, against the real thing."""

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest

from mist.bindings import export
from mist.protocol import InferResponse, Message, marshal_lines, payload_class, unmarshal_lines

PRELUDE = """
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import * as mist from "mist-client";
import { HttpListener, Stdio } from "mist-client/node";
const [first, second] = process.argv.slice(1);
"""

POST_FILE = """
const peer = new mist.HttpSender(first);
for (const message of mist.parseLines(readFileSync(second, "utf8"))) await peer.send(message);
await peer.close();
"""

READ_FILE = """
for await (const message of new mist.LineReader(createReadStream(first), first)) {
  const { type, payload } = message.decode();
  console.log(JSON.stringify([message.type, message.verifyChecksum(), type ?? typeof payload]));
}
"""

SEND_ONE = """
const peer = new mist.HttpSender(first, { timeoutMs: Number(second) });
try {
  await peer.send(mist.Message.create("acme", "health.ping", { from: "me" }));
  console.log("taken");
} catch (error) {
  console.log(`${error.name} ${error.code} ${error.message}`);
}
"""

HANG_UP = r"""
import socket, sys
server = socket.socket(fileno=int(sys.argv[1]))
for said in (b"", b"HTTP/1.1 202 Acc", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"):
    connection = server.accept()[0]
    connection.recv(65536)
    connection.sendall(said)
    connection.close()
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A project that has installed the exported client."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    root = tmp_path_factory.mktemp("project")
    (root / "package.json").write_text('{"private": true, "type": "module"}\n')
    export("typescript", root / "client")
    subprocess.run(
        ["npm", "install", "--offline", "--no-audit", "--no-fund", "./client"],
        cwd=root,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return root


@pytest.fixture
def node(project, tmp_path):
    """The command that runs a script with the client at hand, in the test's directory."""
    (tmp_path / "node_modules").symlink_to(project / "node_modules")

    def command(script, *arguments):
        return ["node", "--input-type=module", "-e", PRELUDE + script, *map(str, arguments)]

    return command


@pytest.fixture
def run(node, tmp_path):
    """Run a script to its end, and return what it prints."""

    def run_script(script, *arguments, **options):
        ended = subprocess.run(
            node(script, *arguments),
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
            **options,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode()

    return run_script


@pytest.mark.interop("http-file", client="node")
def test_golden_messages_through_a_listener_and_back(run, peers, golden_lines, tmp_path):
    """All golden messages go to `mist listen`, into a file, and are read again, to the byte."""
    count = golden_lines.count(b"\n")
    with peers.mist_listener(tmp_path, count) as url:
        run(POST_FILE, url, "golden.jsonl")
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines
    told = [json.loads(line) for line in run(READ_FILE, "received.jsonl").splitlines()]
    messages = unmarshal_lines(golden_lines)
    assert told == [
        [each.type, True, each.type if payload_class(each.type) else "object"] for each in messages
    ]
    assert sum(message.checksum != 0 for message in messages) == count // 2


@pytest.mark.interop("hard-text", client="node")
def test_hard_text(run, peers, tmp_path):
    """Text that encoders disagree about arrives as it was, and its checksum holds."""
    script = """
const text = JSON.parse(second);
const request = { model: text, messages: [], params: { [text]: [text] }, meta: { [text]: text } };
const peer = new mist.HttpSender(first);
await peer.send(mist.Message.create("acme", "infer.request", request).withChecksum());
"""
    text = peers.HARD_TEXT
    with peers.mist_listener(tmp_path, 1) as url:
        run(script, url, json.dumps(text))
    (message,) = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    request = message.decode()
    assert (request.model, request.params, request.meta) == (text, {text: [text]}, {text: text})
    assert message.checksum
    assert message.verify_checksum()
    assert message.payload == Message.new("acme", "infer.request", request).payload
    again = """
const [message] = mist.parseLines(readFileSync("received.jsonl", "utf8"));
console.log(JSON.stringify([message.decode().payload.model, message.verifyChecksum()]));
"""
    assert json.loads(run(again)) == [text, True]


@pytest.mark.interop("int64", client="node")
def test_integers_at_the_limits(run, peers, tmp_path):
    """The least and the largest int64 arrive exactly, typed and in free-form JSON."""
    script = """
const [least, largest] = [-(2n ** 63n), 2n ** 63n - 1n];
const peer = new mist.HttpSender(first);
const response = { ...mist.InferResponse.zero, tokens_in: least, tokens_out: largest };
await peer.send(mist.Message.create("acme", "infer.response", response));
await peer.send(mist.Message.create("acme", "acme.free", [least, largest, 2n ** 53n + 1n, 7]));
"""
    with peers.mist_listener(tmp_path, 2) as url:
        run(script, url)
    least, largest = -(1 << 63), (1 << 63) - 1
    typed, free = unmarshal_lines((tmp_path / "received.jsonl").read_bytes())
    assert typed.decode() == InferResponse(tokens_in=least, tokens_out=largest)
    assert free.decode() == [least, largest, (1 << 53) + 1, 7]
    again = """
const [typed, free] = mist.parseLines(readFileSync("received.jsonl", "utf8"));
const { tokens_in, tokens_out } = typed.decode().payload;
console.log(tokens_in === -(2n ** 63n), tokens_out === 2n ** 63n - 1n, ...free.value().map(String));
"""
    assert run(again) == f"true true {least} {largest} {(1 << 53) + 1} 7\n"


@pytest.mark.interop("batches", client="node")
def test_batches(run, peers, golden_lines, tmp_path):
    """What is sent at once to a real listener arrives whole and in order, in few requests."""
    script = """
let requests = 0;
const counted = (...request) => { requests += 1; return fetch(...request); };
const messages = mist.parseLines(readFileSync(second, "utf8"));
const peer = new mist.HttpSender(first, { fetch: counted });
await peer.send(messages[0]);
await Promise.all(messages.slice(1).map((message) => peer.send(message)));
console.log(requests, peer.peerBatches);
"""
    with peers.mist_listener(tmp_path, golden_lines.count(b"\n")) as url:
        assert run(script, url, "golden.jsonl") == "2 true\n"
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines


@pytest.mark.interop("batches", client="node")
def test_each_message_of_a_batch_has_its_own_fate(run, peers, tmp_path):
    """Of a batch, a real listener takes what is a message until its inbox is full."""
    script = """
const peer = new mist.HttpSender(first, { retries: 0 });
const order = (n) => mist.Message.create("acme", "acme.order", n);
await peer.send(order(0));
const wrong = new mist.Message({ ...order(2), payload: "nonsense" });
const sends = [order(1), wrong, order(3), order(4)].map((message) => peer.send(message));
const fates = await Promise.allSettled(sends);
console.log(JSON.stringify(fates.map(({ reason }) => reason?.status ?? 202)));
"""
    with peers.transport_listener(tmp_path, "await asyncio.sleep(30)", inbox=3) as (url, _):
        assert json.loads(run(script, url)) == [202, 400, 202, 503]


@pytest.mark.interop("no-batches", client="node")
def test_a_listener_without_batches(run, peers, golden_lines, tmp_path):
    """A listener that takes no batches gets single messages."""
    count = golden_lines.count(b"\n")
    body = f"""
async with File("received.jsonl") as file:
    for _ in range({count}):
        await file.send(await http.receive())
"""
    script = """
const messages = mist.parseLines(readFileSync(second, "utf8"));
const peer = new mist.HttpSender(first);
await peer.send(messages[0]);
await Promise.all(messages.slice(1).map((message) => peer.send(message)));
console.log(peer.peerBatches);
"""
    with peers.transport_listener(tmp_path, body, batch=False) as (url, process):
        assert run(script, url, "golden.jsonl") == "false\n"
        assert process.wait(30) == 0
    received = (tmp_path / "received.jsonl").read_bytes()
    # Requests that are in flight together may overtake each other.
    assert sorted(received.splitlines()) == sorted(golden_lines.splitlines())


@pytest.mark.interop("stdio", client="node")
def test_a_pipeline_out_of_the_client(node, run, peers, golden_lines, tmp_path):
    """`node client | mist relay - file` carries every golden message, to the byte."""
    script = """
const stdio = new Stdio();
console.log("this is no message");
for (const message of mist.parseLines(readFileSync("golden.jsonl", "utf8"))) {
  await stdio.send(message);
}
await stdio.close();
"""
    writer = subprocess.Popen(
        node(script), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
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
        assert writer.stderr.read() == b"this is no message\n"
    assert writer.returncode == 0
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines
    assert run(READ_FILE, "received.jsonl").count("true") == golden_lines.count(b"\n")


@pytest.mark.interop("stdin", client="node")
def test_a_pipeline_into_the_client(node, peers, golden_lines, tmp_path):
    """`mist relay file - | node client` gives every golden message to the client's loop."""
    script = """
let received = "";
for await (const message of new Stdio()) {
  if (!message.verifyChecksum()) throw new Error(message.id);
  received += message.marshalLine();
}
writeFileSync("received.jsonl", received);
"""
    relay = subprocess.Popen(
        [*peers.MIST, "relay", "golden.jsonl", "-"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with relay:
        subprocess.run(node(script), cwd=tmp_path, stdin=relay.stdout, timeout=60, check=True)
    assert relay.returncode == 0
    assert (tmp_path / "received.jsonl").read_bytes() == golden_lines


@pytest.mark.interop("receive", client="node")
def test_a_python_sender_to_a_node_listener(node, peers, golden_lines, tmp_path):
    """`mist relay file http://node` posts in batches; the listener receives every message."""
    script = """
const listener = await HttpListener.listen();
console.log(listener.url);
let received = "";
for (let count = Number(first); count > 0; count -= 1) {
  const message = await listener.receive();
  if (!message.verifyChecksum()) throw new Error(message.id);
  received += message.marshalLine();
}
writeFileSync("received.jsonl", received);
await listener.close();
"""
    listener = subprocess.Popen(
        node(script, golden_lines.count(b"\n")), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    with listener:
        try:
            url = listener.stdout.readline().strip()
            subprocess.run(
                [*peers.MIST, "relay", "golden.jsonl", url],
                cwd=tmp_path,
                capture_output=True,
                timeout=60,
                check=True,
            )
            assert listener.wait(30) == 0
        finally:
            listener.kill()
    received = (tmp_path / "received.jsonl").read_bytes()
    assert sorted(received.splitlines()) == sorted(golden_lines.splitlines())


@pytest.mark.interop("unknown-type", client="node")
def test_an_unknown_type_passes_untouched(run, peers, tmp_path):
    """A payload of a type that nobody knows is plain JSON, and is passed on to the byte."""
    envelope = b'{"version":"1","id":"a","source":"s","type":"acme.x","timestamp_ns":1,"payload":'
    line = envelope + peers.UNKNOWN + b"}\n"
    (tmp_path / "in.jsonl").write_bytes(line)
    with peers.mist_listener(tmp_path, 1) as url:
        run(POST_FILE, url, "in.jsonl")
    assert (tmp_path / "received.jsonl").read_bytes() == line
    assert run(READ_FILE, "received.jsonl") == '["acme.x",true,"object"]\n'


@pytest.mark.interop("wrong-payload", client="node")
def test_a_wrong_payload_names_its_path(run):
    """What does not fit is an error that names the path, received or about to be sent."""
    script = """
const attempt = (call) => {
  try { call(); } catch (error) { console.log(error.code, error.path, error.message); }
};
const wrong = '{"messages":[{"role":"user"},{"role":7}]}';
const fields = mist.Message.create("s", "infer.request", mist.InferRequest.zero);
attempt(() => new mist.Message({ ...fields, payload: wrong }).decode());
const messages = [{ role: "user", content: 7 }];
attempt(() => mist.Message.create("s", "infer.request", { model: "m", messages }));
attempt(() => mist.Message.create("s", "acme.x", { a: [0.5, NaN] }));
attempt(() => mist.Message.parse('{"version":1}'));
"""
    wrong = "expected a string, got a number"
    here = "$.messages[0].content"
    assert run(script).splitlines() == [
        f"protocol $.messages[1].role payload of infer.request: {wrong} - at `$.messages[1].role`",
        f"protocol {here} payload of infer.request: {wrong} - at `{here}`",
        "protocol $.a[1] payload of acme.x: NaN has no JSON form, pass null - at `$.a[1]`",
        f"protocol $.version not a message: {wrong} - at `$.version`",
    ]


@pytest.mark.interop("version", client="node")
def test_an_unsupported_version_is_refused(run):
    """A peer that speaks other versions is refused, by both ranges; a relay may pass it on."""
    script = """
try { mist.negotiateVersion("1-1", "8-9"); } catch (error) { console.error(error.message); }
const stdio = new Stdio(process.stdin, process.stdout, { anyVersion: first === "any" });
try { await stdio.send(await stdio.receive()); } catch (error) { console.error(error.message); }
"""
    line = Message("9", "a", "s", "t").marshal() + b"\n"
    assert run(script, "any", input=line).encode() == line
    told = run(script.replace("console.error", "process.stdout.write"), "ours", input=line)
    assert "no compatible version (local '1-1', remote '8-9')" in told
    assert "stdin:1: version '9' is too new (supported: 1-1)" in told


@pytest.mark.interop("busy", client="node")
def test_a_busy_listener_is_waited_for(run, peers, tmp_path):
    """A listener whose inbox is full says 503 and when to come back; the message is then taken."""
    body = """
while not pathlib.Path("told-to-wait").exists():
    await asyncio.sleep(0.02)
for _ in range(2):
    await http.receive()
"""
    script = """
const watched = async (...request) => {
  const response = await fetch(...request);
  if (response.status === 503) writeFileSync("told-to-wait", "");
  return response;
};
const message = mist.Message.create("acme", "acme.order", {});
const peer = new mist.HttpSender(first, { retries: Number(second), fetch: watched });
await peer.send(message);
const begin = performance.now();
try {
  await peer.send(message);
} catch (error) {
  console.log(error.status, error.code, error.retryAfter);
}
console.log(performance.now() - begin >= 990);
"""
    with peers.transport_listener(tmp_path, body, inbox=1) as (url, process):
        assert run(script, url, 3) == "true\n"
        assert process.wait(30) == 0
    (tmp_path / "told-to-wait").unlink()
    with peers.transport_listener(tmp_path, body, inbox=1) as (url, _):
        assert run(script, url, 0) == "503 unavailable 1\nfalse\n"


@pytest.mark.interop("html", client="node")
def test_a_page_is_no_success(run, peers):
    """A proxy that answers 200 with a page is an error that says so; so is a 404."""

    def answer(handler, number):
        peers.reply(handler, 200 if number == 1 else 404, b"<html>Welcome!</html>")

    with peers.http_server(answer) as (url, _):
        page, missing = run(SEND_ONE, url, 5000), run(SEND_ONE, url, 5000)
    assert page == (
        f"Rejected transport {url}/mist is not a MIST listener: it answered 200 with a page:"
        " <html>Welcome!</html>\n"
    )
    assert missing == (
        f"Rejected not_found {url}/mist rejected the message: 404: <html>Welcome!</html>\n"
    )


@pytest.mark.interop("dead", client="node")
def test_a_peer_that_is_not_there_or_dies_in_between(run):
    """Nobody at the port, or a peer that hangs up before its answer is whole, ends the call."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        listening = subprocess.Popen(
            [sys.executable, "-c", HANG_UP, str(server.fileno())], pass_fds=[server.fileno()]
        )
        with listening:
            for _ in range(3):
                assert run(SEND_ONE, url, 10000).startswith(
                    f"TransportError transport no answer from {url}/mist: "
                )
        assert listening.returncode == 0
    told = run(SEND_ONE, url, 10000)
    assert told.startswith(f"TransportError transport no answer from {url}/mist: connect ECONN")


@pytest.mark.interop("dead", client="node")
def test_a_relay_that_is_killed_ends_the_pipeline(node, peers, tmp_path):
    """A client that writes to a pipe whose reader was killed is told so, and ends."""
    script = """
const stdio = new Stdio();
const message = mist.Message.create("acme", "acme.order", "x".repeat(10_000));
try {
  for (;;) await stdio.send(message);
} catch (error) {
  console.error(error.name);
}
"""
    writer = subprocess.Popen(
        node(script), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with writer:
        relay = subprocess.Popen(
            [*peers.MIST, "relay", "-", "received.jsonl"], cwd=tmp_path, stdin=writer.stdout
        )
        writer.stdout.close()
        deadline = time.monotonic() + 30
        while not (tmp_path / "received.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.02)  # until messages really flow, in two other processes
        relay.kill()
        relay.wait()
        assert writer.stderr.read() == b"TransportClosed\n"
        assert writer.wait(30) == 0


@pytest.mark.interop("silent", client="node")
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_a_peer_that_never_answers(run, peers, drip):
    """A peer that says nothing, or a byte now and then for ever, meets the timeout."""
    with peers.never_answering(drip) as url:
        told = run(SEND_ONE, url, 200)
    assert told == f"TransportTimeout timeout {url}/mist did not answer within 0.2 seconds\n"


def test_lines_written_here_are_read_there(run, tmp_path):
    """A file that mist wrote, in other spellings too, is what the client reads."""
    messages = [Message.new("acme", "acme.order", {"n": n, "f": n / 4}) for n in range(3)]
    (tmp_path / "in.jsonl").write_bytes(b"\r\n" + marshal_lines(messages).replace(b"\n", b"\r\n"))
    script = """
for (const each of mist.parseLines(readFileSync(first, "utf8"))) {
  console.log(each.id, each.value().f);
}
"""
    assert run(script, "in.jsonl") == "".join(
        f"{each.id} {each.decode()['f']:g}\n" for each in messages
    )
