"""`mist validate` against the least that could check the same messages."""

import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from tools.bench.row import Rows, Unit, at_most

ROWS = Rows("validate")

_STREAM = Path(__file__).parents[3] / "examples" / "stream.jsonl.gz"
_TIMES = 200  # times 5,000 messages make a million, 450 MB
_MESSAGES = 5_000 * _TIMES
_MEMORY = 100 << 20  # what the process may take at its peak, in bytes

# Envelope, checksum and payload of every line, with nothing around it.
_BARE = """
import sys
import zlib

import msgspec

from mist.protocol import MessageType
from mist.protocol.registry import payload_class


class Envelope(msgspec.Struct):
    version: str
    id: str
    source: str
    type: str
    timestamp_ns: int = 0
    payload: msgspec.Raw = msgspec.Raw(b"")
    checksum: int = 0


def main():
    decode = msgspec.json.Decoder(Envelope).decode
    payload = {str(t): msgspec.json.Decoder(payload_class(t)).decode for t in MessageType}
    plain = msgspec.json.Decoder().decode
    with open(sys.argv[1], "rb") as file:
        for line in file:
            message = decode(line)
            if message.checksum and zlib.crc32(message.payload) != message.checksum:
                raise SystemExit("a checksum does not match")
            payload.get(message.type, plain)(message.payload)


main()
"""

# A process's peak counts what started it, up to its exec; so that is to be something small.
_LAUNCHER = """
import os
import sys

pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
if status:
    raise SystemExit(1)
sys.stderr.write(f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}")
"""


@ROWS.rounds(
    f"CPU time of {_MESSAGES:,} messages",
    at_most(1.4),
    against="msgspec envelope, crc32, msgspec payload, a line at a time",
    unit=Unit.SECONDS,
    peers=["msgspec"],
    rounds=3,
)
def cpu() -> Generator[tuple[float, float]]:
    """Run a whole process of each over the same file."""
    with tempfile.TemporaryDirectory() as directory:
        path = _stream(Path(directory))
        while True:
            yield _ours(path)[0], _cost([sys.executable, "-c", _BARE, str(path)])[0]


@ROWS.rounds(
    f"peak memory of {_MESSAGES:,} messages",
    at_most(1),
    against="100 MB",
    unit=Unit.BYTES,
    rounds=1,
)
def memory() -> Generator[tuple[float, float]]:
    """Run a whole process and ask the system for its largest size."""
    with tempfile.TemporaryDirectory() as directory:
        path = _stream(Path(directory))
        while True:
            yield _ours(path)[1], _MEMORY


def _stream(directory: Path) -> Path:
    path = directory / "stream.jsonl"
    data = gzip.decompress(_STREAM.read_bytes())
    with path.open("wb") as file:
        for _ in range(_TIMES):
            file.write(data)
    return path


def _ours(path: Path) -> tuple[float, float]:
    with tempfile.TemporaryFile() as out:
        cost = _cost([sys.executable, "-m", "mist.command", "validate", str(path)], out.fileno())
        out.seek(0)
        totals = json.loads(out.read())
    if totals != {"valid": _MESSAGES, "invalid": 0}:
        raise RuntimeError(f"not all messages are valid: {totals}")
    return cost


def _cost(command: list[str], stdout: int | None = None) -> tuple[float, float]:
    """Run a command; return its CPU time in seconds and its peak memory in bytes."""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"the program fails: {command[:3]}: {ran.stderr}")
    seconds, size = ran.stderr.split()
    return float(seconds), float(size) * (1 if sys.platform == "darwin" else 1024)
