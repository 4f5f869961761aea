"""The generated clients of two languages, one of which posts to the other's listener."""

import json
import shutil
import subprocess
import sys

import pytest

from mist.bindings import export

PYTHON = "import sys; sys.path.insert(0, 'python'); import mist_client as mist\n"
NODE = """
import { readFileSync, writeFileSync } from "node:fs";
import * as mist from "mist-client";
import { HttpListener } from "mist-client/node";
const [argument] = process.argv.slice(1);
"""

SEND_PYTHON = """
with open("golden.jsonl", "rb") as file:
    first, *others = mist.unmarshal_lines(file.read())
with mist.HTTP(sys.argv[1]) as peer:
    peer.send(first)
    assert peer.send_all(others) == [None] * len(others)
"""
SEND_NODE = """
const peer = new mist.HttpSender(argument);
const [first, ...others] = mist.parseLines(readFileSync("golden.jsonl", "utf8"));
await peer.send(first);
await Promise.all(others.map((message) => peer.send(message)));
await peer.close();
"""
RECEIVE_PYTHON = """
with mist.HTTPListener() as listener, open("received.jsonl", "wb") as file:
    print(listener.url, flush=True)
    for _ in range(int(sys.argv[1])):
        message = listener.receive(timeout=30)
        assert message.verify_checksum()
        file.write(message.marshal() + b"\\n")
"""
RECEIVE_NODE = """
const listener = await HttpListener.listen();
console.log(listener.url);
let received = "";
for (let count = Number(argument); count > 0; count -= 1) {
  const message = await listener.receive();
  if (!message.verifyChecksum()) throw new Error(message.id);
  received += message.marshalLine();
}
writeFileSync("received.jsonl", received);
await listener.close();
"""


@pytest.fixture
def project(tmp_path, golden):
    """A directory with both clients, and every golden message without its checksum and with it."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    export("python", tmp_path / "python")
    export("typescript", tmp_path / "node_modules" / "mist-client")
    records = [json.loads(line) for line in (golden / "wire.jsonl").read_bytes().splitlines()]
    lines = [record[form] for record in records for form in ("wire", "wire_with_checksum")]
    (tmp_path / "golden.jsonl").write_text("".join(line + "\n" for line in lines), "utf-8")
    return tmp_path


def python(script):
    """Return the command that runs a script with the Python client at hand."""
    return [sys.executable, "-I", "-X", "dev", "-c", PYTHON + script]


def node(script):
    """Return the command that runs a script with the TypeScript client at hand."""
    return ["node", "--input-type=module", "-e", NODE + script]


@pytest.mark.parametrize(
    ("receive", "send"),
    [
        pytest.param(
            python(RECEIVE_PYTHON),
            node(SEND_NODE),
            marks=pytest.mark.interop("other-client", client="node"),
            id="node-to-python",
        ),
        pytest.param(
            node(RECEIVE_NODE),
            python(SEND_PYTHON),
            marks=pytest.mark.interop("other-client", client="python"),
            id="python-to-node",
        ),
    ],
)
def test_golden_messages_from_one_client_to_the_other(project, receive, send):
    """Every golden message, alone or in a batch, arrives to the byte and in order."""
    golden = (project / "golden.jsonl").read_bytes()
    listener = subprocess.Popen(
        [*receive, str(golden.count(b"\n"))], cwd=project, stdout=subprocess.PIPE, text=True
    )
    with listener:
        try:
            url = listener.stdout.readline().strip()
            subprocess.run([*send, url], cwd=project, timeout=60, check=True)
            assert listener.wait(30) == 0
        finally:
            listener.kill()
    assert (project / "received.jsonl").read_bytes() == golden
