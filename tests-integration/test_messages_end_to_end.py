"""5,000 messages that mist-go wrote, from a file over HTTP into another file."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mist.protocol import unmarshal_lines

_MIST = [sys.executable, "-m", "mist.command"]


@pytest.fixture(params=["golden", "example"])
def stream(request: pytest.FixtureRequest, root: Path) -> Path:
    """The file as mist-go wrote it, and the compressed copy in the repository."""
    if request.param == "golden":
        return request.getfixturevalue("golden") / "stream.jsonl"
    return root / "examples" / "stream.jsonl.gz"


def _mist(*words, cwd):
    ended = subprocess.run(
        [*_MIST, *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_example_is_what_mist_go_wrote(root, golden):
    """The compressed copy holds the golden file, byte for byte."""
    example = gzip.decompress((root / "examples" / "stream.jsonl.gz").read_bytes())
    assert example == (golden / "stream.jsonl").read_bytes()


def test_every_message_is_valid(stream, tmp_path):
    """`mist validate` finds 5,000 valid messages and no invalid one."""
    assert json.loads(_mist("validate", stream, cwd=tmp_path)) == {"valid": 5000, "invalid": 0}


def test_every_message_arrives_over_http_unchanged(stream, tmp_path):
    """What `mist relay` sends and `mist listen` stores is equal in every byte."""
    listener = subprocess.Popen(
        [*_MIST, "listen", "127.0.0.1:0", "--to", "received.jsonl", "--count", "5000"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    with listener:
        try:
            url = listener.stderr.readline().split()[-1]
            _mist("relay", stream, url, cwd=tmp_path)
            assert listener.wait(30) == 0
        finally:
            listener.kill()
    sent = stream.read_bytes()
    sent = gzip.decompress(sent) if stream.suffix == ".gz" else sent
    received = (tmp_path / "received.jsonl").read_bytes()
    assert received == sent
    messages = unmarshal_lines(received)
    assert len(messages) == 5000
    assert sum(message.checksum != 0 for message in messages) > 2000
    assert all(message.verify_checksum() for message in messages)
