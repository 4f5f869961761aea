"""Small inputs that ask for much: memory stays bounded, and the answer is one clear error."""

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import msgspec
import pytest

from mist import checkpoint
from mist.config import ConfigError, load
from mist.errors import MistError
from mist.metrics import MetricError, Snapshot
from mist.protocol import Message, ProtocolError
from mist.transport import HTTP, Rejected, TransportError

LINE = Message.new("test", "acme.number", {"number": 1}).marshal() + b"\n"
_BOMB = 256 << 20  # bytes of one line, more than there is room for
_MEMORY = 200 << 20  # bytes of address space beyond what an idle command has
_PATIENCE = 120  # seconds, for one command

_LIMITED = """
import resource, sys
from mist.command import build_app
import gzip, mist.command.input, mist.transport.http.sender, mist.transport.file
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (most, most))
sys.exit(build_app().execute(sys.argv[2:]))
"""

needs_limits = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="memory is limited here by Linux's own means"
)


def _mist(*words):
    """Run the mist command in an address space that a bomb would not fit into."""
    return subprocess.run(
        [sys.executable, "-c", _LIMITED, str(_MEMORY), *words],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


def _bomb(path, size):
    """Write a gzip file of zeros that is a thousandth of what is in it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    with path.open("wb") as file:
        for _ in range(size >> 20):
            file.write(packer.compress(zeros))
        file.write(packer.flush())
    return path


@needs_limits
@pytest.mark.parametrize("words", [("validate", "{}"), ("relay", "{}", "-")], ids=" ".join)
def test_a_line_of_256_mib_in_a_quarter_of_one_of_gzip(tmp_path, words):
    """It is over the limit of a message, and never in memory; the messages around it are taken."""
    whole = tmp_path / "bomb.jsonl.gz"
    middle = _bomb(tmp_path / "middle", _BOMB).read_bytes()
    whole.write_bytes(gzip.compress(LINE) + middle + gzip.compress(b"\n" + LINE))
    assert whole.stat().st_size < 1 << 19
    ended = _mist(*(word.format(whole) for word in words))
    assert ended.returncode == 1, ended.stderr
    assert f"message of {_BOMB} bytes is over the limit" in ended.stderr
    if words[0] == "validate":
        assert json.loads(ended.stdout) == {"valid": 2, "invalid": 1}
    else:
        assert ended.stdout.encode() == LINE * 2


@needs_limits
def test_the_limit_of_this_test_is_one(tmp_path):
    """What reads all of it does not fit: so the tests above mean something."""
    bomb = _bomb(tmp_path / "bomb", _BOMB)
    reading = f"import gzip, sys; len(gzip.open({str(bomb)!r}).read())"
    script = _LIMITED.rpartition("sys.exit")[0] + reading
    ended = subprocess.run(
        [sys.executable, "-c", script, str(_MEMORY)], capture_output=True, text=True, check=False
    )
    assert "MemoryError" in ended.stderr


@needs_limits
@pytest.mark.parametrize(
    ("content", "status", "valid", "error"),
    [
        (gzip.compress(b"") * 50_000 + gzip.compress(LINE), 0, 1, None),
        (gzip.compress(LINE) * 5_000, 0, 5_000, None),
        (gzip.compress(LINE) + bytes(10_000), 0, 1, None),
        (gzip.compress(LINE) + b"trailing garbage", 8, 1, "damaged gzip data"),
        (gzip.compress(LINE * 10)[:-4], 8, 10, "damaged gzip data"),
        (gzip.compress(LINE)[:-8] + bytes(8), 8, 1, "damaged gzip data: CRC"),
        (b"\x1f\x8b\x08\x08\0\0\0\0\0\x03" + b"a" * 500_000, 8, 0, "damaged gzip data"),
        (b"\x1f\x8b\x08\x04\0\0\0\0\0\x03\xff\xff", 8, 0, "damaged gzip data"),
        (LINE, 8, 0, "damaged gzip data: Not a gzipped file"),
        (b"", 0, 0, None),
    ],
    ids=["empty-members", "members", "padding", "garbage", "cut", "crc", "name", "extra", "plain",
         "empty"],
)  # fmt: skip
def test_what_may_be_wrong_with_a_gzip_file(tmp_path, content, status, valid, error):
    """What stands before the damage is taken, and the damage is told."""
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(content)
    ended = _mist("validate", str(file))
    assert ended.returncode == status, ended.stderr
    assert json.loads(ended.stdout)["valid"] == valid
    assert error is None or error in ended.stderr
    relayed = _mist("relay", str(file), "-")
    assert relayed.returncode == status
    assert relayed.stdout.encode() == LINE * valid


DEEP = "[" * 1_000_000
# What JSON can ask for, as a value.
VALUES = {
    "arrays": DEEP,
    "closed-arrays": DEEP + "]" * len(DEEP),
    "objects": '{"a":' * 500_000 + "1" + "}" * 500_000,
    "digits": "9" * 1_000_000,
    "negative-digits": "-" + "9" * 1_000_000,
    "fraction": "0." + "1" * 1_000_000,
    "exponent": "1e" + "9" * 100_000,
    "tiny": "1e-" + "9" * 100_000,
    "same-key": "{" + '"a":1,' * 200_000 + '"a":2}',
    "keys": "{" + ",".join(f'"{n}":0' for n in range(100_000)) + "}",
    "escapes": '"' + "\\u0000" * 500_000 + '"',
    "lone-surrogate": '"\\ud800"',
}


def _enveloped(value):
    return LINE.strip().replace(b'{"number":1}', value.encode())


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_message_with_a_payload_that_asks_for_much(value):
    """It is read, or refused with one short error; nothing else is raised."""
    refused = ""
    try:
        message = Message.unmarshal(_enveloped(value))
        message.verify_checksum()
        message.decode()
    except ProtocolError as exc:
        refused = str(exc)
    assert len(refused) < 500


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_a_listener_that_is_sent_it_answers_and_goes_on(value):
    """Alone, in a batch, and as the whole body; the next message is taken."""
    async with HTTP() as receiver:
        await receiver.listen("127.0.0.1:0")
        host, port = receiver.addr.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        bodies = [
            ("application/json", _enveloped(value)),
            ("application/x-ndjson", LINE + _enveloped(value) + b"\n" + LINE),
            ("application/json", value.encode()),
            ("application/json", LINE.strip()),
        ]
        for kind, body in bodies:
            head = f"POST /mist HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            told = await reader.readexactly(int(length[1]))
            assert int(head.split()[1]) in (200, 202, 400)
            assert len(told) < 1000
        assert head.startswith("HTTP/1.1 202 ")
        writer.close()


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_a_sender_that_is_answered_with_it_gives_one_clear_error(value):
    """As the answer to one message, and as that to a batch."""
    requests = 0

    async def handle(reader, writer):
        nonlocal requests
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            await reader.readexactly(int(re.search(r"content-length: (\d+)", head)[1]))
            requests += 1
            answer = "" if requests == 1 else f'{{"accepted":0,"rejected":{value}}}'
            writer.write(
                "HTTP/1.1 200 OK\r\nAccept-Post: application/json, application/x-ndjson\r\n"
                f"Content-Length: {len(answer)}\r\n\r\n{answer}".encode()
            )
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server, HTTP(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as sender:
        message = Message.unmarshal(LINE)
        await sender.send(message)
        async with asyncio.timeout(30):
            results = await asyncio.gather(
                *(sender.send(message) for _ in range(10)), return_exceptions=True
            )
    for error in results:
        assert error is None or isinstance(error, TransportError)
        assert len(str(error)) < 1000
    assert any(isinstance(error, Rejected) for error in results) or value.startswith('"')


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_what_else_reads_json_refuses_it_in_its_own_words(tmp_path, value):
    """A checkpoint's log, an error from the wire, metrics of another process."""
    good = {"step": "good", "status": "completed", "timestamp": "2024-01-01T00:00:00Z", "result": 1}
    bad = json.dumps(good | {"step": "bad"}).replace('"result": 1', f'"result": {value}')
    (tmp_path / "run.jsonl").write_text(f"{json.dumps(good)}\n{bad}\n{json.dumps(good)}\n")
    refused = ""
    with checkpoint.open(tmp_path, "run") as tracker:
        assert tracker.result("good") == 1
        try:
            tracker.result("bad")
        except checkpoint.CheckpointError as exc:
            refused = str(exc)
    assert len(refused) < 500
    with pytest.raises(MetricError) as caught:
        Snapshot.from_json(f'{{"counters":{value}}}')
    assert len(str(caught.value)) < 500
    try:
        wire = msgspec.json.decode(f'{{"code":"auth","meta":{value}}}')
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return
    with pytest.raises(MistError) as malformed:
        MistError.from_dict(wire)
    assert len(str(malformed.value)) < 500


class Settings(msgspec.Struct):
    """What a configuration may have."""

    free: object = None
    number: int = 0
    ratio: float = 0.0


DOCUMENTS = {
    "arrays": "free = " + "[" * 100_000,
    "closed-arrays": "free = " + "[" * 100_000 + "]" * 100_000,
    "tables": "free = " + "{a=" * 100_000,
    "dotted": ".".join(["a"] * 100_000) + " = 1",
    "header": "[" + ".".join(["a"] * 100_000) + "]",
    "digits": "number = " + "9" * 1_000_000,
    "hexadecimal": "ratio = 0x" + "f" * 1_000_000,
    "same-key": "free = 1\n" * 10_000,
    "quotes": "free = " + '"' * 100_001,
    "nul": "free = '\0'",
    "endless-text": 'free = """' + "x\n" * 100_000,
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_configuration_that_asks_for_much(tmp_path, document):
    """All that is wrong with it is one short text."""
    file = tmp_path / "app.toml"
    file.write_text(document)
    with pytest.raises(ConfigError) as caught:
        load(file, "APP", Settings, env={})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("text", ["9" * 1_000_000, "0x" + "f" * 1_000_000, "1" * 5000 + "e"])
def test_a_variable_that_asks_for_much(text):
    """It is no number, and is cut where it is shown."""
    with pytest.raises(ConfigError) as caught:
        load(None, "APP", Settings, env={"APP_RATIO": text + "x"})
    assert len(str(caught.value)) < 500
